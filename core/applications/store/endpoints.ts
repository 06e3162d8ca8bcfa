import { notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

/** Columns of an endpoint without recorded failures. */
export const HEALTHY = {
  disabledAt: null,
  disabledReason: null,
  failingSince: null,
  consecutiveFailures: 0,
  circuitOpenUntil: null,
  updatedAt: now,
} as const;

const ENABLE = statement((db, $: Given<{ applicationId: bigint; mode: Mode | null }>) =>
  db
    .updateTable('webhook_endpoints')
    .set(HEALTHY)
    .where('applicationId', '=', $('applicationId'))
    .where((eb) => eb('mode', '=', eb.fn.coalesce(eb.cast<Mode | null>($('mode'), 'text'), 'mode')))
    .returning('mode'),
);

/**
 * Enables the endpoint of one mode, or of both. Missed events are not resent; recovery does that.
 * @throws RESOURCE_NOT_FOUND
 */
export async function enableEndpoint(
  statements: Statements,
  { applicationId, mode = null }: { applicationId: bigint; mode?: Mode | null | undefined },
): Promise<void> {
  if ((await ENABLE.all(statements, { applicationId, mode })).length === 0) {
    throw notFound('application');
  }
}
