import type { EntityManager } from '../../../database/connection.ts';
import { Setting } from '../../../database/entities/operator.ts';
import type { MatchSettings } from '../../../domain/payouts/matching.ts';
import { GatewayMatchSettings, matchSettingsOf } from '../match-settings.ts';

export async function readMatchSettings(em: EntityManager, gateway: string): Promise<MatchSettings> {
  return matchSettingsOf(gateway, await readSet(em, gateway));
}

/** Returns the stores whose payouts are read through an API that the gateway does not document. */
export async function readTrustedStores(em: EntityManager, gateway: string): Promise<readonly string[]> {
  return (await readSet(em, gateway)).trustedStores ?? [];
}

async function readSet(em: EntityManager, gateway: string): Promise<GatewayMatchSettings> {
  const row = await em.findOne(Setting, { name: settingName(gateway) });
  return GatewayMatchSettings.parse(row?.value ?? {});
}

function settingName(gateway: string): string {
  return `reconciliation-${gateway}`;
}
