import { parse, type HTMLElement } from 'node-html-parser';

/** A page as loaded in a payer's browser. */
export interface Page {
  readonly url: URL;
  readonly status: number;
  readonly document: HTMLElement;
  readonly visit: Visit;
}

/** How a payer fetches pages. A payer with an IP address of their own supplies their own function. */
export type Visit = (url: URL, request: VisitRequest) => Promise<VisitAnswer>;

interface VisitRequest {
  readonly method: string;
  readonly body?: URLSearchParams;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
}

interface VisitAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

const HOPS_MAX = 10;
const PAGE_TIMEOUT_MS = 30_000;
/** A browser without JavaScript renders noscript elements. Lenden's pages use them to say when to reload. */
const WITHOUT_SCRIPT = { blockTextElements: { script: true, style: true, pre: true } };

/** Opens a page as a browser without JavaScript does, using only links and forms. Redirects are followed with GET. */
export async function open(url: string | URL, visit: Visit = fetch): Promise<Page> {
  return load(new URL(url), { method: 'GET', visit });
}

interface Pressing {
  readonly form: string;
  readonly button?: string;
  /** What the payer types, in place of the prefilled values. */
  readonly typed?: Readonly<Record<string, string>>;
}

/**
 * Presses a button of a page: submits its form with every field as prefilled or as typed.
 * @throws Error with the page's title, when the page has no such form
 */
export async function press(page: Page, { form: selector, button, typed = {} }: Pressing): Promise<Page> {
  const form = page.document.querySelector(selector);
  if (form === null) {
    throw new Error(`the page "${titleOf(page)}" (${page.url.pathname}) has no form ${selector}`);
  }
  const action = new URL(form.getAttribute('action') ?? page.url.href, page.url);
  const fields = fieldsOf(form, button);
  Object.entries(typed).forEach(([name, value]) => fields.set(name, value));
  if ((form.getAttribute('method') ?? 'get').toLowerCase() === 'post') {
    return load(action, { method: 'POST', body: fields, visit: page.visit });
  }
  action.search = fields.toString();
  return load(action, { method: 'GET', visit: page.visit });
}

export function titleOf(page: Page): string {
  return page.document.querySelector('title')?.textContent.trim() ?? '';
}

function fieldsOf(form: HTMLElement, button: string | undefined): URLSearchParams {
  const fields = new URLSearchParams();
  for (const input of form.querySelectorAll('input[name]')) {
    const type = (input.getAttribute('type') ?? 'text').toLowerCase();
    const chosen = (type !== 'radio' && type !== 'checkbox') || input.hasAttribute('checked');
    if (chosen && type !== 'submit') {
      fields.append(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '');
    }
  }
  for (const select of form.querySelectorAll('select[name]')) {
    const option = select.querySelector('option[selected]') ?? select.querySelector('option');
    fields.append(select.getAttribute('name') ?? '', option?.getAttribute('value') ?? '');
  }
  if (button !== undefined) {
    const pressed = form
      .querySelectorAll('button[name]')
      .find((candidate) => candidate.getAttribute('value') === button);
    if (pressed === undefined) {
      throw new Error(`the form has no button "${button}"`);
    }
    fields.append(pressed.getAttribute('name') ?? '', button);
  }
  return fields;
}

interface Loading {
  readonly method: string;
  readonly body?: URLSearchParams;
  readonly visit: Visit;
}

async function load(url: URL, { visit, ...request }: Loading): Promise<Page> {
  let target = url;
  let init: Omit<Loading, 'visit'> = request;
  for (let hops = 0; hops < HOPS_MAX; hops += 1) {
    const response = await visit(target, { ...init, redirect: 'manual', signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    const location = response.headers.get('location');
    if (location === null || response.status < 300 || response.status > 399) {
      return { url: target, status: response.status, document: parse(await response.text(), WITHOUT_SCRIPT), visit };
    }
    target = new URL(location, target);
    init = { method: 'GET' };
  }
  throw new Error(`more than ${HOPS_MAX} redirects from ${url.pathname}`);
}
