import type { Database } from '../../database/connection.ts';
import { Operator } from '../../database/entities/operator.ts';
import { recordAudit, type Actor } from './store/audit.ts';
import { readGrants } from './store/grants.ts';
import { requestOwnLink } from './store/links.ts';
import { areGrantsGuarded } from './store/second-person.ts';
import { linkAddressSubject, linkSubject, removeStaleThrottles, takeAttempts } from './store/throttles.ts';

/**
 * Emails an operator who has forgotten their password a link to set another. Nothing tells whoever asks whether there is such an operator. Whoever can
 * read the mailbox becomes the operator, so where one person alone does not give a colleague a link, none is sent to an operator without a second
 * factor: a colleague sends it, and another confirms.
 *
 * @throws DomainError RATE_LIMITED
 */
export async function requestForgottenPassword(
  { database }: { readonly database: Database },
  given: { readonly email: string; readonly client: Pick<Actor, 'address' | 'requestId'> },
): Promise<void> {
  const email = given.email.toLowerCase();
  const { client } = given;
  // Thresholds of every application count.
  await database.withOperator('every-app', async (em) => {
    await takeAttempts(em, [linkSubject(email), linkAddressSubject(client.address ?? '')]);
    await removeStaleThrottles(em);
    const operator = await em.findOne(Operator, { email, status: 'ACTIVE' });
    if (operator === null) {
      return;
    }
    const { id } = operator;
    const isRefused =
      operator.passwordHash !== null &&
      operator.totpConfirmedAt === null &&
      (await areGrantsGuarded(em, await readGrants(em, id)));
    if (isRefused || (await requestOwnLink(em, id))) {
      await recordAudit(em, {
        actor: { type: 'USER', id, name: email, ...client },
        action: isRefused ? 'password.link-refused' : 'password.link-requested',
        target: { type: 'operator', id },
      });
    }
  });
}
