import type { Database } from '../../database/connection.ts';
import { findLinkHolder, setPasswordByLink } from '../../core/operators/set-password-by-link.ts';
import type { LinkHolder } from '../../core/operators/store/links.ts';
import { DomainError } from '../../domain/errors.ts';
import { operatorLinkPath } from '../../domain/operator-link.ts';
import { secretEquals } from '../../runtime/secrets.ts';
import { pageHeaders } from '../../web/headers.ts';
import { LINK_PROBLEMS, renderLinkPage, type LinkProblem, type LinkState } from '../../web/operators/link-page.ts';
import { readText } from '../http/body.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { Context } from '../http/surface.ts';

/** The token of a link, or `done` after its use. */
export const OPERATOR_LINK = /^\/operator-link\/([A-Za-z0-9_-]{1,64})$/;
const DONE = 'done';
/** Per address, for opening and sending the form. Each form sent with a valid link costs an argon2 hash. */
const LINKS_PER_MINUTE = 30;
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** Two passwords of the maximum length, percent-encoded, and the address. */
const FORM_BYTES_MAX = 16_000;

interface Answering {
  readonly context: Context;
  readonly limiter: RateLimiter;
  readonly secure: boolean;
  readonly token: string;
}

/** Answers the page of an operator's one-time link. Opening it does not use the link up, because mail programs open links; sending the form does. */
export async function answerOperatorLink(
  deps: { readonly database: Database },
  { context, limiter, secure, token }: Answering,
): Promise<void> {
  context.state.route = 'page operator link';
  if (context.method !== 'GET' && (context.method !== 'POST' || token === DONE)) {
    context.set('Allow', token === DONE ? 'GET' : 'GET, POST');
    throw new DomainError('METHOD_NOT_ALLOWED', 'this page does not support that method');
  }
  admitAddress(context, limiter, { bucket: 'operator link', perMinute: LINKS_PER_MINUTE });
  if (token === DONE) {
    show(context, { secure, state: { kind: 'set' } });
    return;
  }
  const holder = await findLinkHolder(deps, token);
  const outcome =
    holder === null ? 'gone' : context.method === 'GET' ? null : await set(deps, { context, holder, token });
  if (holder === null || outcome === 'gone') {
    context.status = 404;
    show(context, { secure, state: { kind: 'gone' } });
  } else if (outcome === null) {
    const state = { kind: 'open', email: holder.email, action: operatorLinkPath(token), problem: problemOf(context) };
    show(context, { secure, state: { ...state, kind: 'open' } });
  } else {
    context.status = 303;
    context.set(
      'Location',
      outcome === 'set' ? operatorLinkPath(DONE) : `${operatorLinkPath(token)}?problem=${outcome}`,
    );
    context.set('Referrer-Policy', 'no-referrer');
  }
}

function show(context: Context, { secure, state }: { readonly secure: boolean; readonly state: LinkState }): void {
  context.set(pageHeaders({ formActionOrigins: [], secure }));
  context.body = renderLinkPage(state);
}

function problemOf(context: Context): LinkProblem | null {
  const asked = new URLSearchParams(context.querystring).get('problem');
  return isProblem(asked) ? asked : null;
}

function isProblem(text: string | null): text is LinkProblem {
  return text !== null && Object.hasOwn(LINK_PROBLEMS, text);
}

interface Setting {
  readonly context: Context;
  readonly holder: LinkHolder;
  readonly token: string;
}

async function set(
  deps: { readonly database: Database },
  { context, holder, token }: Setting,
): Promise<LinkProblem | 'set' | 'gone'> {
  const { password, again } = await readForm(context);
  if (!secretEquals(password, again)) {
    return 'different';
  }
  const client = { address: context.ip, requestId: context.state.requestId };
  return setPasswordByLink(deps, { holder, token, password, client });
}

async function readForm(context: Context): Promise<{ password: string; again: string }> {
  if (!context.is(FORM_TYPE)) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'send the form as application/x-www-form-urlencoded');
  }
  const fields = new URLSearchParams(await readText(context.req, FORM_BYTES_MAX));
  const [passwords, agains] = [fields.getAll('password'), fields.getAll('again')];
  const [password = '', again = ''] = [passwords[0], agains[0]];
  if (passwords.length !== 1 || agains.length !== 1) {
    throw new DomainError('VALIDATION_ERROR', 'the form does not belong to this page');
  }
  return { password, again };
}
