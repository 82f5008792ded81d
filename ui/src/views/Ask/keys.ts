/** Which keys are meant for the page, and which for what has the focus. */

const TYPED_INTO = 'input, textarea, select, [contenteditable], dialog';
const OPERATED = 'button, a[href], summary, ' + TYPED_INTO;

/** The key goes into a field, or is a chord of the browser's. */
export function isTyping(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey || focusIs(event, TYPED_INTO);
}

/** The key operates a button: space and enter are its own. */
export function isOperating(event: KeyboardEvent): boolean {
  return focusIs(event, OPERATED);
}

function focusIs(event: KeyboardEvent, selector: string): boolean {
  return event.target instanceof Element && event.target.closest(selector) !== null;
}
