import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import type { MatchSettings } from '../../domain/payouts/matching.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { outdated, propose } from '../operators/propose.ts';
import { type AuditFacts, recordAudit } from '../operators/store/audit.ts';
import { plain, waitingChanges, type PendingChange } from '../operators/store/pending-changes.ts';
import { isInstallationGuarded } from '../operators/store/second-person.ts';
import { GatewayMatchSettings, matchSettingsOf, textOfSettings } from './match-settings.ts';
import { readChosenSettings, writeChosenSettings } from './store/match-settings.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'gateways'>;

/** How the lines of a gateway are judged. */
export interface SettingsOfGateway {
  readonly gateway: string;
  /** What operators have chosen. */
  readonly chosen: GatewayMatchSettings;
  /** What applies: what was chosen, else what is usual for the gateway. */
  readonly applied: MatchSettings;
  /** Changes that wait for a second operator. */
  readonly changes: readonly PendingChange[];
}

export function findMatchSettings(
  { database }: Pick<Dependencies, 'database'>,
  { view }: ActingOperator,
  gateway: string,
): Promise<SettingsOfGateway> {
  return database.withOperator(view, (em) => settingsOf(em, gateway));
}

async function settingsOf(em: EntityManager, gateway: string): Promise<SettingsOfGateway> {
  const chosen = await readChosenSettings(em, gateway);
  const waiting = await waitingChanges(em, 'gateway', [gateway]);
  const changes = waiting.filter(({ kind }) => kind === 'match-settings');
  return { gateway, chosen, applied: matchSettingsOf(gateway, chosen), changes };
}

/**
 * Replaces the settings of a gateway. The next run uses them, also for results that are still open. Once an application has a threshold, a change of
 * what decides whether a line matches waits for a second operator: with a large tolerance one person could let every difference pass.
 * @throws DomainError VALIDATION_ERROR for trusted stores at a gateway whose payouts no undocumented API lists, INVALID_OPERATION_STATE while too
 * many changes wait
 */
export async function changeMatchSettings(
  { database, gateways }: Dependencies,
  caller: ActingOperator,
  { gateway, chosen }: Pick<SettingsOfGateway, 'gateway' | 'chosen'>,
): Promise<SettingsOfGateway> {
  const trusts = (chosen.trustedStores ?? []).length > 0;
  if (trusts && gateways.capabilities(gateway)?.payouts !== 'unconfirmed-api') {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { trustedStores: 'must be empty: the gateway has no undocumented API' },
    });
  }
  return database.withOperator(caller.view, async (em) => {
    const before = await readChosenSettings(em, gateway);
    const judgesOtherwise = !isDeepStrictEqual(matchSettingsOf(gateway, before), matchSettingsOf(gateway, chosen));
    if (judgesOtherwise && (await isInstallationGuarded(em))) {
      await propose(em, caller, {
        applicationId: null,
        mode: null,
        kind: 'match-settings',
        target: { type: 'gateway', id: gateway },
        before: factsOf(before),
        after: factsOf(chosen),
      });
    } else {
      await write(em, { caller, gateway, before, chosen });
    }
    em.clear();
    return settingsOf(em, gateway);
  });
}

/**
 * Applies a change of settings that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when the settings have changed since the change was proposed
 */
export async function confirmMatchSettings(
  em: EntityManager,
  { caller, change }: { readonly caller: ActingOperator; readonly change: PendingChange },
): Promise<void> {
  const gateway = change.target.id;
  const before = await readChosenSettings(em, gateway);
  if (!isDeepStrictEqual(plain(factsOf(before)), change.before)) {
    throw outdated();
  }
  await write(em, {
    caller,
    gateway,
    before,
    chosen: GatewayMatchSettings.parse(change.after),
    proposedBy: change.proposedBy,
  });
}

interface Written {
  readonly caller: ActingOperator;
  readonly gateway: string;
  readonly before: GatewayMatchSettings;
  readonly chosen: GatewayMatchSettings;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function write(em: EntityManager, { caller, gateway, before, chosen, proposedBy }: Written): Promise<void> {
  await writeChosenSettings(em, gateway, chosen);
  await recordAudit(em, {
    actor: caller.actor,
    action: 'match-settings.changed',
    target: { type: 'gateway', id: gateway },
    before: factsOf(before),
    after: { ...factsOf(chosen), ...(proposedBy === undefined ? {} : { proposedBy }) },
  });
}

function factsOf(settings: GatewayMatchSettings): AuditFacts {
  const { toleranceMinor, feeToleranceMinor, agreedFee, rates, ...others } = textOfSettings(settings);
  return {
    ...(toleranceMinor === undefined ? {} : { toleranceMinor }),
    ...(feeToleranceMinor === undefined ? {} : { feeToleranceMinor }),
    ...(agreedFee === undefined ? {} : { agreedFee: agreedFee === null ? null : { ...agreedFee } }),
    ...(rates === undefined ? {} : { rates: rates.map((agreed) => ({ ...agreed })) }),
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
  };
}
