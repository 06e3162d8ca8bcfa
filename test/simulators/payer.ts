import type { Form } from './merchant.ts';

export type Page = { status: number; html: string; url: string };

/** Opens a page like a browser without JavaScript. */
export async function open(url: string): Promise<Page> {
  const answer = await fetch(url);
  return { status: answer.status, html: await answer.text(), url: answer.url };
}

/** Returns the first form of a page with what it would send: checked radio buttons, hidden and text inputs. */
export function readForm(page: Page): { action: string; fields: Form; buttons: string[] } {
  const [, attributes = '', inside = ''] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(page.html) ?? [];
  const fields: Form = {};
  for (const [input] of inside.matchAll(/<input[^>]*>/g)) {
    if (attribute(input, 'type') !== 'radio' || / checked/.test(input)) {
      fields[attribute(input, 'name')] = attribute(input, 'value');
    }
  }
  const buttons = [...inside.matchAll(/<button[^>]*>/g)].map(([button]) => attribute(button, 'value'));
  return { action: new URL(attribute(attributes, 'action'), page.url).href, fields, buttons };
}

/** Submits the first form with one of its buttons. */
export async function press(page: Page, outcome: string, changes: Form = {}): Promise<Page> {
  const form = readForm(page);
  const pressed: Form = outcome === '' ? {} : { outcome };
  const answer = await fetch(form.action, {
    method: 'POST',
    body: new URLSearchParams({ ...form.fields, ...changes, ...pressed }),
  });
  return { status: answer.status, html: await answer.text(), url: answer.url };
}

/** Opens the hosted page and presses a button. */
export async function pay(session: Record<string, unknown>, outcome = 'pay', changes: Form = {}): Promise<Page> {
  return press(await open(String(session['GatewayPageURL'])), outcome, changes);
}

function attribute(tag: string, name: string): string {
  const value = new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
  const entities: Form = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
  return value.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity);
}
