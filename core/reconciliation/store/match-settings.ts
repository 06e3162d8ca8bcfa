import type { EntityManager } from '../../../database/connection.ts';
import { Setting } from '../../../database/entities/operator.ts';
import type { MatchSettings } from '../../../domain/payouts/matching.ts';
import { GatewayMatchSettings, matchSettingsOf } from '../match-settings.ts';

export async function readMatchSettings(em: EntityManager, gateway: string): Promise<MatchSettings> {
  const row = await em.findOne(Setting, { name: settingName(gateway) });
  return matchSettingsOf(gateway, GatewayMatchSettings.parse(row?.value ?? {}));
}

function settingName(gateway: string): string {
  return `reconciliation-${gateway}`;
}
