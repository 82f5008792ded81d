/** Where the page begins: the real hub is put in here, and nowhere else. */

import { mount } from 'svelte';
import { hub } from './api/hub';
import { reports } from './api/reports';
import { openTail } from './api/tail';
import App from './App.svelte';
import { readServer } from './model/server';
import { Desk } from './state/desk.svelte';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/card.css';
import './styles/columns.css';
import './styles/list.css';
import './styles/query.css';
import './styles/table.css';

const target = document.getElementById('app');

if (target === null) {
  throw new Error('index.html has lost its #app');
}

const server = readServer(document.baseURI, document.querySelector('base')?.dataset['lacks'] ?? '');

mount(App, {
  target,
  props: { desk: new Desk(hub, reports, openTail, server), signIn: (token: string) => hub.signIn(token) },
});
