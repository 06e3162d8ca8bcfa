import type { Database } from '../../database/connection.ts';
import { passwordFault, type PasswordFault } from '../../runtime/password-rules.ts';
import { hashPassword } from './passwords.ts';
import { recordAudit, type Actor } from './store/audit.ts';
import { findLinkHolder as findHolder, takeLink, type LinkHolder } from './store/links.ts';
import { setPassword } from './store/operators.ts';
import { endSessions } from './store/sessions.ts';

type Dependencies = { readonly database: Database };

/** Returns the operator of a one-time link, or null. Does not use up the link, since mail programs open links. */
export function findLinkHolder({ database }: Dependencies, token: string): Promise<LinkHolder | null> {
  return database.withOperator([], (em) => findHolder(em, token));
}

/**
 * Sets the password of a link's operator, uses the link up and ends their sessions. The password is hashed before the transaction. Of two concurrent
 * calls the second finds the link gone.
 */
export async function setPasswordByLink(
  { database }: Dependencies,
  {
    holder,
    token,
    password,
    client,
  }: {
    readonly holder: LinkHolder;
    readonly token: string;
    readonly password: string;
    readonly client: Pick<Actor, 'address' | 'requestId'>;
  },
): Promise<PasswordFault | 'set' | 'gone'> {
  const fault = await passwordFault(password, holder);
  if (fault !== null) {
    return fault;
  }
  const passwordHash = await hashPassword(password);
  return database.withOperator([], async (em) => {
    if (!(await takeLink(em, holder, token))) {
      return 'gone';
    }
    const { operatorId, email } = holder;
    await setPassword(em, { operatorId, passwordHash, temporary: false });
    const sessionsEnded = await endSessions(em, { operatorId, reason: 'password-changed' });
    await recordAudit(em, {
      actor: { type: 'USER', id: operatorId, name: email, ...client },
      action: 'password.set-by-link',
      target: { type: 'operator', id: operatorId },
      after: { sessionsEnded },
    });
    return 'set';
  });
}
