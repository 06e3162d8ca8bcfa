import { z } from 'zod';
import { isPermission, type Grant } from '../../../domain/permissions.ts';
import { sha256 } from '../../../runtime/secrets.ts';
import { readNow } from '../../../database/clock.ts';
import type { EntityManager } from '../../../database/connection.ts';
import { OperatorSession } from '../../../database/entities/operator.ts';

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

/** An open session with its operator, with the current values of their rows. */
export interface KnownSession {
  readonly id: bigint;
  readonly kind: SessionKind;
  readonly expiresAt: Date;
  readonly reauthenticatedAt: Date;
  /** Whether the password was entered within the last five minutes. */
  readonly fresh: boolean;
  readonly operatorId: bigint;
  readonly email: string;
  readonly name: string;
  readonly secondFactor: boolean;
  readonly passwordTemporary: boolean;
  readonly secondFactorRequired: boolean;
  readonly grants: readonly Grant[];
}

export type SessionUse =
  | { readonly kind: 'open'; readonly session: KnownSession }
  /** `unknown`: no such token. `expired`: reached its maximum lifetime. `ended`: idle, logged out, killed, or its operator disabled. */
  | { readonly kind: 'unknown' | 'expired' | 'ended' };

interface SessionRow {
  readonly id: string;
  readonly kind: SessionKind;
  readonly expires_at: Date | string;
  readonly reauthenticated_at: Date | string;
  readonly fresh: boolean;
  readonly ended: boolean;
  readonly expired: boolean;
  readonly idle: boolean;
  readonly operator_id: string;
  readonly email: string;
  readonly name: string;
  readonly second_factor: boolean;
  readonly password_temporary: boolean;
  readonly second_factor_required: boolean;
  readonly grants: unknown;
}

const GrantRows = z.array(
  z.object({
    permissions: z.array(z.string()).transform((texts) => texts.filter(isPermission)),
    everything: z.boolean(),
    applicationId: z.string().transform(BigInt).nullable(),
  }),
);

export const GRANTS_OF_OPERATOR = `coalesce((select jsonb_agg(jsonb_build_object(
    'permissions', to_jsonb(roles.permissions), 'everything', roles.everything, 'applicationId', granted.application_id::text))
  from operator_grants granted join roles on roles.id = granted.role_id where granted.operator_id = operators.id), '[]')`;

export function parseGrants(json: unknown): Grant[] {
  return GrantRows.parse(json);
}

/** Finds the session of a token and records its use. Ends it if it was idle for too long. */
export async function useSession(
  em: EntityManager,
  { token, kind, idleMs }: { token: string; kind: SessionKind; idleMs: number },
): Promise<SessionUse> {
  const [row] = await em.execute<SessionRow[]>(
    `select s.id::text, s.kind, s.expires_at, s.reauthenticated_at, s.reauthenticated_at > now() - interval '${FRESH}' as fresh,
       s.ended_at is not null or operators.status <> 'ACTIVE' as ended, s.expires_at <= now() as expired,
       s.last_seen_at < now() - ?::integer * interval '1 millisecond' as idle,
       operators.id::text as operator_id, operators.email, operators.name, operators.totp_confirmed_at is not null as second_factor,
       operators.password_temporary,
       coalesce((select value = 'true'::jsonb from settings where settings.name = 'second-factor-required'), false) as second_factor_required,
       ${GRANTS_OF_OPERATOR} as grants
     from operator_sessions s join operators on operators.id = s.operator_id
     where s.token_hash = ? and s.kind = ?`,
    [idleMs, sha256(token), kind],
  );
  if (row === undefined) {
    return { kind: 'unknown' };
  }
  const id = BigInt(row.id);
  if (row.ended || row.expired) {
    return { kind: row.ended ? 'ended' : 'expired' };
  }
  if (row.idle) {
    await endSessions(em, { operatorId: BigInt(row.operator_id), only: id, reason: 'idle' });
    return { kind: 'ended' };
  }
  await em.execute(
    `update operator_sessions set last_seen_at = now() where id = ? and last_seen_at < now() - interval '${SEEN_EVERY}'`,
    [id],
  );
  return { kind: 'open', session: sessionFrom(row) };
}

function sessionFrom(row: SessionRow): KnownSession {
  return {
    id: BigInt(row.id),
    kind: row.kind,
    expiresAt: new Date(row.expires_at),
    reauthenticatedAt: new Date(row.reauthenticated_at),
    fresh: row.fresh,
    operatorId: BigInt(row.operator_id),
    email: row.email,
    name: row.name,
    secondFactor: row.second_factor,
    passwordTemporary: row.password_temporary,
    secondFactorRequired: row.second_factor_required,
    grants: parseGrants(row.grants),
  };
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
  await em.execute(
    `delete from operator_sessions where id in (select id from operator_sessions where expires_at < now() - interval '${KEPT}' order by id limit 100)`,
  );
  return { id, expiresAt };
}

/**
 * Replaces a session's token after its holder has entered the password again; the previous one becomes invalid. Returns false if another request has
 * replaced it in the meantime, or if the session has ended.
 */
export async function renewSession(
  em: EntityManager,
  { id, token, newToken }: { id: bigint; token: string; newToken: string },
): Promise<boolean> {
  const renewed = await em.execute<object[]>(
    `update operator_sessions set token_hash = ?, reauthenticated_at = now(), last_seen_at = now()
     where id = ? and token_hash = ? and ended_at is null returning id`,
    [sha256(newToken), id, sha256(token)],
  );
  return renewed.length === 1;
}

interface Ending {
  readonly operatorId: bigint;
  readonly reason: SessionEnd;
  readonly only?: bigint;
  readonly except?: bigint;
}

/** Ends an operator's open sessions: one, all, or all but one. Returns their number. */
export async function endSessions(em: EntityManager, { operatorId, reason, only, except }: Ending): Promise<number> {
  const ended = await em.execute<object[]>(
    `update operator_sessions set ended_at = now(), ended_reason = ?
     where operator_id = ? and ended_at is null and (?::bigint is null or id = ?) and (?::bigint is null or id <> ?) returning id`,
    [reason, operatorId, only ?? null, only ?? null, except ?? null, except ?? null],
  );
  return ended.length;
}

export interface OpenSession {
  readonly id: bigint;
  readonly kind: SessionKind;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

const LISTED_MAX = 100;

/** Returns an operator's usable sessions, newest first. */
export async function listOpenSessions(
  em: EntityManager,
  { operatorId, idleMs }: { operatorId: bigint; idleMs: number },
): Promise<OpenSession[]> {
  const now = (await readNow(em)).getTime();
  const rows = await em.find(
    OperatorSession,
    { operatorId, endedAt: null, expiresAt: { $gt: new Date(now) }, lastSeenAt: { $gt: new Date(now - idleMs) } },
    { orderBy: { id: 'desc' }, limit: LISTED_MAX },
  );
  return rows.map(({ id, kind, address, userAgent, createdAt, lastSeenAt, expiresAt }) => ({
    id,
    kind,
    address: address ?? null,
    userAgent: userAgent ?? null,
    createdAt,
    lastSeenAt,
    expiresAt,
  }));
}

/** Reports whether the operator has recently logged in from this address, so that guesses from there are unlikely. */
export async function isKnownAddress(
  em: EntityManager,
  { email, address }: { email: string; address: string },
): Promise<boolean> {
  const [row] = await em.execute<{ known: boolean }[]>(
    `select exists (select from operator_sessions s join operators o on o.id = s.operator_id
       where o.email = ? and s.address = ? and s.created_at > now() - interval '30 days') as known`,
    [email, address],
  );
  return row?.known === true;
}
