import { SafeColor } from './safe-color.ts';
import { SafeUrl } from './safe-url.ts';

/** Markup that is safe to send. Only the `html` tag creates it. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What a template accepts. Strings are escaped as text; null and false render nothing. */
export type HtmlValue = Html | SafeColor | SafeUrl | string | number | bigint | null | false | readonly HtmlValue[];

type Slot = 'text' | 'attribute' | 'url' | 'style';

const slotsByTemplate = new WeakMap<TemplateStringsArray, Slot[]>();

/**
 * Renders a template. Escapes every value for its position, and rejects positions where escaping is not enough: script and style bodies, event
 * handlers, unquoted attributes, unchecked URLs, and styles that are more than a colour.
 * @throws Error when the template itself is unsafe, a URL attribute is given anything but a SafeUrl, or a style anything but a SafeColor.
 */
export function html(literals: TemplateStringsArray, ...values: HtmlValue[]): Html {
  const slots = slotsOf(literals);
  let markup = literals[0] ?? '';
  values.forEach((value, index) => {
    markup += rendered(value, slots[index] ?? 'text') + (literals[index + 1] ?? '');
  });
  return new Html(markup);
}

/** Escapes for both text and double-quoted attributes, so that a wrong position does no harm. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function rendered(value: HtmlValue, slot: Slot): string {
  if (slot === 'url') {
    if (!(value instanceof SafeUrl)) {
      throw new Error('A URL attribute takes a SafeUrl only.');
    }
    return escapeHtml(value.toString());
  }
  if (slot === 'style') {
    if (!(value instanceof SafeColor)) {
      throw new Error('A value inside a tag may stand in a style attribute only as a SafeColor.');
    }
    return value.toString();
  }
  if (value === null || value === false) {
    return '';
  }
  if (value instanceof Html) {
    if (slot === 'attribute') {
      throw new Error('An attribute takes text, not markup.');
    }
    return value.toString();
  }
  if (value instanceof SafeUrl || value instanceof SafeColor) {
    return escapeHtml(value.toString());
  }
  if (typeof value === 'object') {
    return value.map((item) => rendered(item, slot)).join('');
  }
  return escapeHtml(String(value));
}

function slotsOf(literals: TemplateStringsArray): Slot[] {
  const known = slotsByTemplate.get(literals);
  if (known !== undefined) {
    return known;
  }
  let before = '';
  const slots = literals.slice(0, -1).map((literal) => {
    before += literal;
    return slotAfter(before);
  });
  slotsByTemplate.set(literals, slots);
  return slots;
}

const urlAttributes = new Set(['href', 'src', 'action', 'formaction', 'poster', 'cite', 'data', 'ping', 'srcset']);

/** Determines the position of the next value from the literal markup so far. */
function slotAfter(markup: string): Slot {
  const tagStart = markup.lastIndexOf('<');
  const inTag = tagStart > markup.lastIndexOf('>');
  if (!inTag) {
    if (/<(script|style)\b(?![^]*<\/\1)/i.test(markup)) {
      throw new Error('No value may stand inside a script or style element.');
    }
    return 'text';
  }
  const attribute = /\s([a-z][a-z-]*)="[^"]*$/.exec(markup.slice(tagStart));
  const name = attribute?.[1];
  if (name === undefined || name.startsWith('on') || name === 'srcdoc') {
    throw new Error('A value inside a tag must stand in a double-quoted attribute that cannot run code.');
  }
  if (name === 'style') {
    return 'style';
  }
  return urlAttributes.has(name) ? 'url' : 'attribute';
}
