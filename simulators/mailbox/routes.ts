import type { Router } from '@koa/router';
import type { Context } from 'koa';
import PostalMime from 'postal-mime';
import { readJsonObject } from '../kit/form-body.ts';
import { parseFault } from './faults.ts';
import type { FaultQueue } from './faults.ts';
import { listPage, mailPolicy, messagePage, pagePolicy } from './pages.ts';
import type { MessageStore, StoredMessage } from './store.ts';

const listedMax = 1_000;

type Parts = { store: MessageStore; faults: FaultQueue };

/** Registers the pages for people, the list for programs, and the control API. */
export function mailboxRoutes(router: Router, { store, faults }: Parts): void {
  router.get('/mailbox', (ctx) => show(ctx, { policy: pagePolicy, body: listPage(store.list()) }));
  router.get('/mailbox/messages.json', (ctx) => listMessages(ctx, store));
  router.get('/mailbox/:n', (ctx) => showPart(ctx, { store, part: 'page' }));
  router.get('/mailbox/:n/:part', (ctx) => showPart(ctx, { store, part: String(ctx['params']['part']) }));
  router.get('/__sim/mailbox/faults', (ctx) => {
    ctx.body = faults.list();
  });
  router.post('/__sim/mailbox/faults', async (ctx) => {
    faults.add(parseFault(await readJsonObject(ctx.req)));
    ctx.status = 201;
    ctx.body = faults.list();
  });
  router.delete('/__sim/mailbox/faults', (ctx) => {
    faults.clear();
    ctx.body = faults.list();
  });
}

/** Newest first. `?to=` and `?messageId=` filter, and `?limit=` limits the number. */
async function listMessages(ctx: Context, store: MessageStore): Promise<void> {
  const { to, messageId, limit } = ctx.query;
  const asked = Number(limit ?? 100);
  const found = store
    .list()
    .filter(
      (message) =>
        (typeof to !== 'string' || message.to.includes(to)) &&
        (typeof messageId !== 'string' || message.messageId === messageId),
    )
    .slice(0, Number.isInteger(asked) && asked > 0 ? Math.min(asked, listedMax) : 100);
  const messages: unknown[] = [];
  for (const { n } of found) {
    const message = await store.read(n);
    if (message !== undefined) {
      const { rawBase64: _, ...summary } = message;
      messages.push({ ...summary, ...(await partsOf(message)) });
    }
  }
  ctx.body = messages;
}

async function showPart(ctx: Context, { store, part }: { store: MessageStore; part: string }): Promise<void> {
  const n = String(ctx['params']['n']);
  const message = /^[1-9]\d{0,14}$/.test(n) ? await store.read(Number(n)) : undefined;
  if (message === undefined) {
    return;
  }
  const { text, html } = await partsOf(message);
  if (part === 'page') {
    show(ctx, { policy: pagePolicy, body: messagePage({ ...message, text, hasHtml: html !== null }) });
  } else if (part === 'html' && html !== null) {
    show(ctx, { policy: mailPolicy, body: html });
  } else if (part === 'raw') {
    show(ctx, { policy: pagePolicy, body: Buffer.from(message.rawBase64, 'base64').toString('utf8') });
    ctx.type = 'text/plain; charset=utf-8';
  }
}

function show(ctx: Context, { policy, body }: { policy: string; body: string }): void {
  ctx.set({
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  });
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = body;
}

async function partsOf(message: StoredMessage): Promise<{
  language: string | null;
  text: string | null;
  html: string | null;
}> {
  const parsed = await PostalMime.parse(Buffer.from(message.rawBase64, 'base64')).catch(() => undefined);
  return {
    language: parsed?.headers.find(({ key }) => key === 'content-language')?.value ?? null,
    text: parsed?.text ?? null,
    html: parsed?.html ?? null,
  };
}
