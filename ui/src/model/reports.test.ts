import { expect, test } from 'vitest';
import { readFaults, readSources } from './reports';

test('a number that nobody has told is null, not 0', () => {
  const [source] = readSources({ sources: [{ source: 's', sent: null, acked: 3, gaps: [{ count: 2 }] }] });
  expect(source?.figures).toEqual({ sent: null, acked: 3, queued: null, retried: null, dead: null, dropped: null });
  expect(source?.gaps).toEqual([{ from: '', to: '', count: 2 }]);
});

test('an answer of another shape is an empty one', () => {
  expect(readFaults({ errors: 'none' })).toEqual({ groups: [], cursor: null });
  expect(readFaults([])).toEqual({ groups: [], cursor: null });
});
