/** Choosing bars of a chart with a pointer or with keys. While several are being chosen, the chart stands still. */

import { chosen, walk, type Brush, type Chosen } from '../model/brush';

type OnChart<E extends Event> = E & { currentTarget: Element };

export class BrushState {
  #brush = $state.raw<Brush>({});
  #dragging = false;
  /** How many bars there are. */
  readonly #length: () => number;
  readonly #look: (chosen: Chosen) => void;

  constructor(length: () => number, look: (chosen: Chosen) => void) {
    this.#length = length;
    this.#look = look;
  }

  get at(): number | undefined {
    return this.#brush.at;
  }

  get chosen(): Chosen | undefined {
    return chosen(this.#brush);
  }

  /** Several are being chosen. */
  get holds(): boolean {
    return this.#brush.from !== undefined;
  }

  letGo(): void {
    this.#brush = {};
    this.#dragging = false;
  }

  readonly onDown = (event: OnChart<PointerEvent>): void => {
    const at = this.#barAt(event);

    if (event.button === 0 && at !== undefined) {
      event.currentTarget.setPointerCapture(event.pointerId);
      this.#brush = { at, from: at };
      this.#dragging = true;
    }
  };

  readonly onMove = (event: OnChart<PointerEvent>): void => {
    const at = this.#barAt(event);
    this.#brush = at === undefined ? {} : { ...(this.#dragging ? this.#brush : {}), at };
  };

  readonly onUp = (): void => {
    const found = this.chosen;

    // A mere click would be a zoom that nobody wanted.
    if (this.#dragging && found && found.first !== found.last) {
      this.#look(found);
    }

    this.letGo();
  };

  readonly onLeave = (): void => {
    if (!this.#dragging) {
      this.letGo();
    }
  };

  readonly onKey = (event: KeyboardEvent): void => {
    const chord = event.altKey || event.ctrlKey || event.metaKey;
    const next = chord ? undefined : walk(this.#brush, event.key, event.shiftKey, this.#length());
    const found = event.key === 'Enter' ? this.chosen : undefined;

    if (next === undefined && found === undefined) {
      return;
    }

    // The same keys mean something to the list.
    event.preventDefault();
    event.stopPropagation();
    this.#brush = next ?? {};

    if (found) {
      this.#look(found);
    }
  };

  #barAt(event: OnChart<PointerEvent>): number | undefined {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * this.#length());
    return this.#length() === 0 ? undefined : Math.min(Math.max(index, 0), this.#length() - 1);
  }
}
