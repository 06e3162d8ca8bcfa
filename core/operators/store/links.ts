import { randomBytes } from 'node:crypto';
import { sha256 } from '../../../runtime/secrets.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { earlier, later, now, plus, span } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** How long a link is valid after it was created. */
export const LINK_HOURS = 24;
const TOKEN_BYTES = 32;
const TOKEN_FORMAT = /^[A-Za-z0-9_-]{43}$/;

const REQUEST = statement((db, $: Given<{ operatorId: bigint }>) =>
  db
    .insertInto('operator_links')
    .values({ operatorId: $('operatorId'), emailDueAt: now })
    .onConflict((conflict) =>
      conflict
        .column('operatorId')
        .doUpdateSet({ tokenHash: null, expiresAt: null, emailDueAt: now, emailTries: 0, createdAt: now }),
    ),
);

/**
 * Schedules an email with a link for an operator and invalidates their previous link. The worker creates the link when it sends the email, so only a
 * hash of its token is stored.
 */
export async function requestLink(em: EntityManager, operatorId: bigint): Promise<void> {
  await REQUEST.all(em, { operatorId });
}

/** Anybody can request a link for an operator. A younger one is not replaced, so that nobody can keep the operator from using it. */
const OWN_LINK_EVERY = '15 minutes';

const REQUEST_OWN = statement((db, $: Given<{ operatorId: bigint }>) =>
  db
    .insertInto('operator_links')
    .values({ operatorId: $('operatorId'), emailDueAt: now })
    .onConflict((conflict) =>
      conflict
        .column('operatorId')
        .doUpdateSet({ tokenHash: null, expiresAt: null, emailDueAt: now, emailTries: 0, createdAt: now })
        .where('operator_links.createdAt', '<', earlier(OWN_LINK_EVERY)),
    )
    .returning('createdAt'),
);

/** Schedules an email with a link like `requestLink`, unless one was requested shortly before. Returns whether it did. */
export async function requestOwnLink(em: EntityManager, operatorId: bigint): Promise<boolean> {
  return (await REQUEST_OWN.first(em, { operatorId })) !== undefined;
}

/** An operator's link. Only the hash of its token is stored. */
interface Link {
  readonly operatorId: bigint;
  readonly tokenHash: Uint8Array;
}

const MAKE = statement((db, $: Given<Link>) =>
  db
    .insertInto('operator_links')
    .values({ operatorId: $('operatorId'), tokenHash: $('tokenHash'), expiresAt: later(`${LINK_HOURS} hours`) })
    .onConflict((conflict) =>
      conflict.column('operatorId').doUpdateSet((eb) => ({
        tokenHash: eb.ref('excluded.tokenHash'),
        expiresAt: eb.ref('excluded.expiresAt'),
        emailDueAt: null,
      })),
    ),
);

/** Creates an operator's link, which replaces the previous one. Its token cannot be read again. */
export async function makeLink(em: EntityManager, operatorId: bigint): Promise<string> {
  const token = newToken();
  await MAKE.all(em, { operatorId, tokenHash: sha256(token) });
  return token;
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

const FIND_HOLDER = statement((db, $: Given<{ tokenHash: Uint8Array }>) =>
  db
    .selectFrom('operator_links as l')
    .innerJoin('operators as o', 'o.id', 'l.operatorId')
    .select(['o.id as operatorId', 'o.email', 'o.name'])
    .where('l.tokenHash', '=', $('tokenHash'))
    .where('l.expiresAt', '>', now)
    .where('o.status', '=', 'ACTIVE'),
);

export type LinkHolder = RowOf<typeof FIND_HOLDER>;

/** Returns the operator of a link, or null if it was used, has expired, or belongs to a disabled operator. Does not use up the link. */
export async function findLinkHolder(em: EntityManager, token: string): Promise<LinkHolder | null> {
  if (!TOKEN_FORMAT.test(token)) {
    return null;
  }
  return (await FIND_HOLDER.first(em, { tokenHash: sha256(token) })) ?? null;
}

const TAKE = statement((db, $: Given<Link>) =>
  db
    .deleteFrom('operator_links')
    .where('operatorId', '=', $('operatorId'))
    .where('tokenHash', '=', $('tokenHash'))
    .where('expiresAt', '>', now)
    .returning('operatorId'),
);

/** Uses up a link. Of two requests with the same link, only one gets true. */
export async function takeLink(em: EntityManager, { operatorId }: LinkHolder, token: string): Promise<boolean> {
  return (await TAKE.first(em, { operatorId, tokenHash: sha256(token) })) !== undefined;
}

export interface LinkToEmail extends LinkHolder {
  readonly token: string;
  /** Including this one. */
  readonly tries: number;
}

const LOCK_DUE = statement((db) =>
  db
    .selectFrom('operator_links as l')
    .innerJoin('operators as o', 'o.id', 'l.operatorId')
    .select(['o.id as operatorId', 'o.email', 'o.name'])
    .where('l.emailDueAt', '<=', now)
    .where('o.status', '=', 'ACTIVE')
    .orderBy('l.emailDueAt')
    .limit(1)
    .forUpdate('l')
    .skipLocked(),
);

const RENEW = statement((db, $: Given<Link & { pauseSeconds: number }>) =>
  db
    .updateTable('operator_links')
    .set((eb) => ({
      tokenHash: $('tokenHash'),
      expiresAt: later(`${LINK_HOURS} hours`),
      emailTries: eb('emailTries', '+', 1),
      emailDueAt: plus(now, span($('pauseSeconds'), 'second')),
    }))
    .where('operatorId', '=', $('operatorId'))
    .returning('emailTries as tries'),
);

/**
 * Takes one link that is due to be emailed, gives it a new token, and schedules the next try before this one is made. Returns null if there is none.
 * Must run as the system.
 */
export async function takeLinkToEmail(
  statements: Statements,
  { pauseSeconds }: { readonly pauseSeconds: number },
): Promise<LinkToEmail | null> {
  const due = await LOCK_DUE.first(statements, {});
  if (due === undefined) {
    return null;
  }
  const token = newToken();
  const { operatorId } = due;
  const renewed = await RENEW.first(statements, { operatorId, tokenHash: sha256(token), pauseSeconds });
  return { ...due, token, tries: renewed?.tries ?? 0 };
}

const END_EMAIL = statement((db, $: Given<Link>) =>
  db
    .updateTable('operator_links')
    .set({ emailDueAt: null })
    .where('operatorId', '=', $('operatorId'))
    .where('tokenHash', '=', $('tokenHash')),
);

/** Ends the emailing of a link: it was sent, or never will be. A link requested in the meantime has another token and stays due. */
export async function endLinkEmail(statements: Statements, { operatorId, token }: LinkToEmail): Promise<void> {
  await END_EMAIL.all(statements, { operatorId, tokenHash: sha256(token) });
}
