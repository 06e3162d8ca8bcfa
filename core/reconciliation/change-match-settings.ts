import { DomainError } from '../../domain/errors.ts';
import type { MatchSettings } from '../../domain/payouts/matching.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { type AuditFacts, recordAudit } from '../operators/store/audit.ts';
import { type GatewayMatchSettings, matchSettingsOf, textOfSettings } from './match-settings.ts';
import { readChosenSettings, writeChosenSettings } from './store/match-settings.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'gateways'>;

/** How the lines of a gateway are judged. */
export interface SettingsOfGateway {
  readonly gateway: string;
  /** What operators have chosen. */
  readonly chosen: GatewayMatchSettings;
  /** What applies: what was chosen, else what is usual for the gateway. */
  readonly applied: MatchSettings;
}

export async function findMatchSettings(
  { database }: Pick<Dependencies, 'database'>,
  { view }: ActingOperator,
  gateway: string,
): Promise<SettingsOfGateway> {
  const chosen = await database.withOperator(view, (em) => readChosenSettings(em, gateway));
  return { gateway, chosen, applied: matchSettingsOf(gateway, chosen) };
}

/**
 * Replaces the settings of a gateway. The next run uses them, also for results that are still open.
 * @throws DomainError VALIDATION_ERROR for trusted stores at a gateway whose payouts no undocumented API lists
 */
export async function changeMatchSettings(
  { database, gateways }: Dependencies,
  { view, actor }: ActingOperator,
  { gateway, chosen }: Pick<SettingsOfGateway, 'gateway' | 'chosen'>,
): Promise<SettingsOfGateway> {
  const trusts = (chosen.trustedStores ?? []).length > 0;
  if (trusts && gateways.capabilities(gateway)?.payouts !== 'unconfirmed-api') {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { trustedStores: 'must be empty: the gateway has no undocumented API' },
    });
  }
  await database.withOperator(view, async (em) => {
    const before = await readChosenSettings(em, gateway);
    await writeChosenSettings(em, gateway, chosen);
    await recordAudit(em, {
      actor,
      action: 'match-settings.changed',
      target: { type: 'gateway', id: gateway },
      before: factsOf(before),
      after: factsOf(chosen),
    });
  });
  return { gateway, chosen, applied: matchSettingsOf(gateway, chosen) };
}

function factsOf(settings: GatewayMatchSettings): AuditFacts {
  const { toleranceMinor, feeToleranceMinor, agreedFee, ...others } = textOfSettings(settings);
  return {
    ...(toleranceMinor === undefined ? {} : { toleranceMinor }),
    ...(feeToleranceMinor === undefined ? {} : { feeToleranceMinor }),
    ...(agreedFee === undefined ? {} : { agreedFee: agreedFee === null ? null : { ...agreedFee } }),
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
  };
}
