import { randomBytes } from 'node:crypto';
import { sha256 } from '../../../runtime/secrets.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';

/** How long a link is valid after it was created. */
export const LINK_HOURS = 24;
const TOKEN_BYTES = 32;
const TOKEN_FORMAT = /^[A-Za-z0-9_-]{43}$/;

/**
 * Schedules an email with a link for an operator and invalidates their previous link. The worker creates the link when it sends the email, so only a
 * hash of its token is stored.
 */
export async function requestLink(em: EntityManager, operatorId: bigint): Promise<void> {
  await em.execute(
    `insert into operator_links (operator_id, email_due_at) values (?, now())
     on conflict (operator_id) do update set token_hash = null, expires_at = null, email_due_at = now(), email_tries = 0, created_at = now()`,
    [operatorId],
  );
}

/** Creates an operator's link, which replaces the previous one. Its token cannot be read again. */
export async function makeLink(em: EntityManager, operatorId: bigint): Promise<string> {
  const token = newToken();
  await em.execute(
    `insert into operator_links (operator_id, token_hash, expires_at) values (?, ?, now() + interval '${LINK_HOURS} hours')
     on conflict (operator_id) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at, email_due_at = null`,
    [operatorId, sha256(token)],
  );
  return token;
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

export interface LinkHolder {
  readonly operatorId: bigint;
  readonly email: string;
  readonly name: string;
}

/** Returns the operator of a link, or null if it was used, has expired, or belongs to a disabled operator. Does not use up the link. */
export async function findLinkHolder(em: EntityManager, token: string): Promise<LinkHolder | null> {
  if (!TOKEN_FORMAT.test(token)) {
    return null;
  }
  const [row] = await em.execute<{ id: string; email: string; name: string }[]>(
    `select o.id, o.email, o.name from operator_links l join operators o on o.id = l.operator_id
     where l.token_hash = ? and l.expires_at > now() and o.status = 'ACTIVE'`,
    [sha256(token)],
  );
  return row === undefined ? null : { operatorId: BigInt(row.id), email: row.email, name: row.name };
}

/** Uses up a link. Of two requests with the same link, only one gets true. */
export async function takeLink(em: EntityManager, { operatorId }: LinkHolder, token: string): Promise<boolean> {
  const taken = await em.execute<object[]>(
    'delete from operator_links where operator_id = ? and token_hash = ? and expires_at > now() returning 1',
    [operatorId, sha256(token)],
  );
  return taken.length === 1;
}

export interface LinkToEmail extends LinkHolder {
  readonly token: string;
  /** Including this one. */
  readonly tries: number;
}

/**
 * Takes one link that is due to be emailed, gives it a new token, and schedules the next try before this one is made. Returns null if there is none.
 * Must run as the system.
 */
export async function takeLinkToMail(
  statements: Statements,
  { pauseSeconds }: { readonly pauseSeconds: number },
): Promise<LinkToEmail | null> {
  const [due] = await statements.execute<{ id: string; email: string; name: string }[]>(
    `select o.id, o.email, o.name from operator_links l join operators o on o.id = l.operator_id
     where l.email_due_at <= now() and o.status = 'ACTIVE' order by l.email_due_at limit 1 for update of l skip locked`,
  );
  if (due === undefined) {
    return null;
  }
  const token = newToken();
  const [row] = await statements.execute<{ email_tries: number }[]>(
    `update operator_links set token_hash = ?, expires_at = now() + interval '${LINK_HOURS} hours', email_tries = email_tries + 1,
       email_due_at = now() + ? * interval '1 second' where operator_id = ? returning email_tries`,
    [sha256(token), pauseSeconds, due.id],
  );
  return {
    operatorId: BigInt(due.id),
    email: due.email,
    name: due.name,
    token,
    tries: row?.email_tries ?? 0,
  };
}

/** Ends the emailing of a link: it was sent, or never will be. A link requested in the meantime has another token and stays due. */
export async function endLinkMail(statements: Statements, { operatorId, token }: LinkToEmail): Promise<void> {
  await statements.execute('update operator_links set email_due_at = null where operator_id = ? and token_hash = ?', [
    operatorId,
    sha256(token),
  ]);
}
