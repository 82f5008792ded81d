/** Where the page begins: the real hub is put in here, and nowhere else. */

import { mount } from 'svelte';
import { hub } from './api/hub';
import { openTail } from './api/tail';
import App from './App.svelte';
import { LogsState } from './state/logs.svelte';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/columns.css';

const target = document.getElementById('app');

if (target === null) {
  throw new Error('index.html has lost its #app');
}

mount(App, { target, props: { logs: new LogsState(hub, openTail), signIn: (token: string) => hub.signIn(token) } });
