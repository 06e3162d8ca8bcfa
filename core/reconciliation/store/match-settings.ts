import type { EntityManager } from '../../../database/connection.ts';
import { Setting } from '../../../database/entities/operator.ts';
import type { MatchSettings } from '../../../domain/payouts/matching.ts';
import { writeSetting } from '../../operators/store/settings.ts';
import { GatewayMatchSettings, matchSettingsOf, textOfSettings } from '../match-settings.ts';

export async function readMatchSettings(em: EntityManager, gateway: string): Promise<MatchSettings> {
  return matchSettingsOf(gateway, await readChosenSettings(em, gateway));
}

/** Returns the stores whose payouts are read through an API that the gateway does not document. */
export async function readTrustedStores(em: EntityManager, gateway: string): Promise<readonly string[]> {
  return (await readChosenSettings(em, gateway)).trustedStores ?? [];
}

/** Returns what operators have chosen; what they have not is left out. */
export async function readChosenSettings(em: EntityManager, gateway: string): Promise<GatewayMatchSettings> {
  const row = await em.findOne(Setting, { name: settingName(gateway) });
  return GatewayMatchSettings.parse(row?.value ?? {});
}

export async function writeChosenSettings(
  em: EntityManager,
  gateway: string,
  chosen: GatewayMatchSettings,
): Promise<void> {
  await writeSetting(em, { name: settingName(gateway), value: JSON.stringify(textOfSettings(chosen)) });
}

function settingName(gateway: string): string {
  return `reconciliation-${gateway}`;
}
