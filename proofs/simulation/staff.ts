import type { EntityManager } from '../../database/connection.ts';
import { sha256 } from '../../runtime/secrets.ts';

/** Operators with ids from 1 and the roles that the migrations seed. Support may start refunds but approve none. */
export const STAFF = [
  { email: 'amina@lenden.example', role: 'Admin' },
  { email: 'bashir@lenden.example', role: 'Admin' },
  { email: 'farid@lenden.example', role: 'Finance' },
  { email: 'salma@lenden.example', role: 'Support' },
] as const;

export function tokenOf(operatorId: number): string {
  return `ops_${String(operatorId).repeat(43)}`;
}

/** Creates operators with open sessions, as if each had logged in, because stories do not cover password hashing. */
export async function registerStaff(em: EntityManager, seeds: readonly string[]): Promise<void> {
  for (const seed of seeds) {
    await em.execute(seed);
  }
  for (const [index, { email, role }] of STAFF.entries()) {
    await em.execute('insert into operators (email, name, password_hash) values (?, ?, ?)', [email, email, 'none']);
    await em.execute(
      'insert into operator_grants (operator_id, role_id) select ?::bigint, id from roles where name = ?',
      [index + 1, role],
    );
    await em.execute(
      `insert into operator_sessions (operator_id, token_hash, kind, expires_at)
       values (?::bigint, ?, 'BEARER', now() + interval '3650 days')`,
      [index + 1, sha256(tokenOf(index + 1))],
    );
  }
}

/** Renews the password entry as POST /auth/reauth does. For a session that was idle too long it stands for a new one. */
export async function stepUp(em: EntityManager, operatorId: number): Promise<void> {
  await em.execute(
    'update operator_sessions set reauthenticated_at = now(), last_seen_at = now(), ended_at = null where operator_id = ?::bigint',
    [operatorId],
  );
}
