import { sql } from 'kysely';
import type { Grant } from '../../../domain/permissions.ts';
import { sha256 } from '../../../runtime/secrets.ts';
import { readNow } from '../../../database/clock.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { OperatorSession } from '../../../database/entities/operator.ts';
import { earlier, minus, now, span } from '../../../database/expressions.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { GRANTS, grantsOf } from './grants.ts';
import { SECOND_FACTOR_REQUIRED } from './settings.ts';

export type SessionKind = 'BEARER' | 'COOKIE';

/** Why a session ended early. */
export type SessionEnd =
  'logout' | 'idle' | 'killed' | 'replaced' | 'password-changed' | 'second-factor-changed' | 'disabled';

/** A session's maximum idle time and maximum lifetime. */
export interface SessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** How recently the password must have been entered for sensitive actions. */
const FRESH = '5 minutes';
/** How often a session's use is recorded at most, so that a busy session does not write on every request. */
const SEEN_EVERY = '30 seconds';
/** How long ended sessions are kept. They show an operator's known addresses and how the sessions ended. */
const KEPT = '60 days';
/** How long an address counts as known after a login from there. */
const ADDRESS_KNOWN = '30 days';

const USE = statement((db, $: Given<{ idleMs: number; tokenHash: Uint8Array; kind: SessionKind }>) =>
  db
    .selectFrom('operator_sessions as s')
    .innerJoin('operators as o', 'o.id', 's.operatorId')
    .select((eb) => [
      's.id',
      's.kind',
      's.expiresAt',
      's.reauthenticatedAt',
      eb('s.reauthenticatedAt', '>', earlier(FRESH)).$castTo<boolean>().as('fresh'),
      eb
        .or([eb('s.endedAt', 'is not', null), eb('o.status', '<>', 'ACTIVE')])
        .$castTo<boolean>()
        .as('ended'),
      eb('s.expiresAt', '<=', now).$castTo<boolean>().as('expired'),
      eb('s.lastSeenAt', '<', minus(now, span($('idleMs'), 'millisecond')))
        .$castTo<boolean>()
        .as('idle'),
      's.operatorId',
      'o.email',
      'o.name',
      eb('o.totpConfirmedAt', 'is not', null).$castTo<boolean>().as('secondFactor'),
      'o.passwordTemporary',
      eb.fn
        .coalesce(
          eb
            .selectFrom('settings')
            .select((setting) =>
              setting('value', '=', sql<unknown>`'true'::jsonb`)
                .$castTo<boolean>()
                .as('required'),
            )
            .where('settings.name', '=', SECOND_FACTOR_REQUIRED),
          eb.lit(false),
        )
        .as('secondFactorRequired'),
      GRANTS,
    ])
    .where('s.tokenHash', '=', $('tokenHash'))
    .where('s.kind', '=', $('kind')),
);

type UsedSession = RowOf<typeof USE>;

/**
 * An open session with its operator, with the current values of their rows. `fresh` says whether the password was entered within the last five
 * minutes.
 */
export interface KnownSession extends Omit<UsedSession, 'ended' | 'expired' | 'idle' | 'grants'> {
  readonly grants: readonly Grant[];
}

export type SessionUse =
  | { readonly kind: 'open'; readonly session: KnownSession }
  /** `unknown`: no such token. `expired`: reached its maximum lifetime. `ended`: idle, logged out, killed, or its operator disabled. */
  | { readonly kind: 'unknown' | 'expired' | 'ended' };

const NOTE_SEEN = statement((db, $: Given<{ id: bigint }>) =>
  db
    .updateTable('operator_sessions')
    .set({ lastSeenAt: now })
    .where('id', '=', $('id'))
    .where('lastSeenAt', '<', earlier(SEEN_EVERY)),
);

/** Finds the session of a token and records its use. Ends it if it was idle for too long. */
export async function useSession(
  em: EntityManager,
  { token, kind, idleMs }: { token: string; kind: SessionKind; idleMs: number },
): Promise<SessionUse> {
  const row = await USE.first(em, { idleMs, tokenHash: sha256(token), kind });
  if (row === undefined) {
    return { kind: 'unknown' };
  }
  const { ended, expired, idle, grants, ...session } = row;
  const { id, operatorId } = session;
  if (ended || expired) {
    return { kind: ended ? 'ended' : 'expired' };
  }
  if (idle) {
    await endSessions(em, { operatorId, only: id, reason: 'idle' });
    return { kind: 'ended' };
  }
  await NOTE_SEEN.all(em, { id });
  return { kind: 'open', session: { ...session, grants: grantsOf(grants) } };
}

export interface NewSession {
  readonly operatorId: bigint;
  readonly token: string;
  readonly kind: SessionKind;
  readonly address: string;
  readonly userAgent: string | null;
  readonly absoluteMs: number;
}

const USER_AGENT_MAX = 256;

const REMOVE_OLD = statement((db) =>
  db
    .deleteFrom('operator_sessions')
    .where('id', 'in', (eb) =>
      eb.selectFrom('operator_sessions').select('id').where('expiresAt', '<', earlier(KEPT)).orderBy('id').limit(100),
    ),
);

/** Opens a session. Only a hash of the token is stored. */
export async function openSession(em: EntityManager, session: NewSession): Promise<{ id: bigint; expiresAt: Date }> {
  const expiresAt = new Date((await readNow(em)).getTime() + session.absoluteMs);
  const id = await em.insert(OperatorSession, {
    operatorId: session.operatorId,
    tokenHash: sha256(session.token),
    kind: session.kind,
    address: session.address,
    userAgent: session.userAgent?.slice(0, USER_AGENT_MAX) ?? null,
    expiresAt,
  });
  await REMOVE_OLD.all(em, {});
  return { id, expiresAt };
}

const RENEW = statement((db, $: Given<{ id: bigint; tokenHash: Uint8Array; newTokenHash: Uint8Array }>) =>
  db
    .updateTable('operator_sessions')
    .set({ tokenHash: $('newTokenHash'), reauthenticatedAt: now, lastSeenAt: now })
    .where('id', '=', $('id'))
    .where('tokenHash', '=', $('tokenHash'))
    .where('endedAt', 'is', null)
    .returning('id'),
);

/**
 * Replaces a session's token after its holder has entered the password again; the previous one becomes invalid. Returns false if another request has
 * replaced it in the meantime, or if the session has ended.
 */
export async function renewSession(
  em: EntityManager,
  { id, token, newToken }: { id: bigint; token: string; newToken: string },
): Promise<boolean> {
  const renewed = await RENEW.first(em, { id, tokenHash: sha256(token), newTokenHash: sha256(newToken) });
  return renewed !== undefined;
}

interface Ending {
  readonly operatorId: bigint;
  readonly reason: SessionEnd;
  readonly only?: bigint;
  readonly except?: bigint;
}

const END = statement(
  (db, $: Given<{ operatorId: bigint; reason: SessionEnd; only: bigint | null; except: bigint | null }>) =>
    db
      .updateTable('operator_sessions')
      .set({ endedAt: now, endedReason: $('reason') })
      .where('operatorId', '=', $('operatorId'))
      .where('endedAt', 'is', null)
      .where((eb) => eb.or([eb(eb.cast($('only'), 'bigint'), 'is', null), eb('id', '=', $('only'))]))
      .where((eb) => eb.or([eb(eb.cast($('except'), 'bigint'), 'is', null), eb('id', '<>', $('except'))]))
      .returning('id'),
);

/** Ends an operator's open sessions: one, all, or all but one. Returns their number. */
export async function endSessions(em: EntityManager, ending: Ending): Promise<number> {
  const { operatorId, reason, only = null, except = null } = ending;
  return (await END.all(em, { operatorId, reason, only, except })).length;
}

const LIST_OPEN = statement((db, $: Given<{ operatorId: bigint; idleMs: number }>) =>
  db
    .selectFrom('operator_sessions')
    .select(['id', 'kind', 'address', 'userAgent', 'createdAt', 'lastSeenAt', 'expiresAt'])
    .where('operatorId', '=', $('operatorId'))
    .where('endedAt', 'is', null)
    .where('expiresAt', '>', now)
    .where('lastSeenAt', '>', minus(now, span($('idleMs'), 'millisecond')))
    .orderBy('id', 'desc')
    .limit(100),
);

export type OpenSession = RowOf<typeof LIST_OPEN>;

/** Returns an operator's usable sessions, newest first. */
export function listOpenSessions(
  em: EntityManager,
  { operatorId, idleMs }: { operatorId: bigint; idleMs: number },
): Promise<OpenSession[]> {
  return LIST_OPEN.all(em, { operatorId, idleMs });
}

const LOGIN_FROM = statement((db, $: Given<{ email: string; address: string }>) =>
  db
    .selectFrom('operator_sessions as s')
    .innerJoin('operators as o', 'o.id', 's.operatorId')
    .select('s.id')
    .where('o.email', '=', $('email'))
    .where('s.address', '=', $('address'))
    .where('s.createdAt', '>', earlier(ADDRESS_KNOWN))
    .limit(1),
);

/** Reports whether the operator has recently logged in from this address, so that guesses from there are unlikely. */
export async function isKnownAddress(
  em: EntityManager,
  login: { readonly email: string; readonly address: string },
): Promise<boolean> {
  return (await LOGIN_FROM.first(em, login)) !== undefined;
}
