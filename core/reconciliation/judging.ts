import type { EntityManager } from '../../database/connection.ts';
import { readNow } from '../../database/clock.ts';
import type { MatchSettings } from '../../domain/payouts/matching.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import type { GatewayCapabilities } from '../../gateways/port.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { readMatchSettings } from './store/match-settings.ts';

/** What a run needs. */
export interface RunDependencies extends Pick<CoreDependencies, 'database' | 'calendar'> {
  readonly gateways: { capabilities(name: string): Pick<GatewayCapabilities, 'feeKnown' | 'disputes'> | undefined };
}

/** By what the lines of a gateway are judged now. */
export interface Judging {
  readonly settings: MatchSettings;
  readonly feeAtSettlement: boolean;
  /** The gateway tells of disputes, so that a line of one that is not known is not its word. */
  readonly tellsDisputes: boolean;
  readonly calendar: RunDependencies['calendar'];
  readonly asOf: PlainDate;
}

export async function judgingOf(
  em: EntityManager,
  { calendar, gateways }: Pick<RunDependencies, 'calendar' | 'gateways'>,
  gateway: string,
): Promise<Judging> {
  return {
    settings: await readMatchSettings(em, gateway),
    feeAtSettlement: gateways.capabilities(gateway)?.feeKnown === 'at-settlement',
    tellsDisputes: gateways.capabilities(gateway)?.disputes === 'api',
    calendar,
    asOf: calendar.today(await readNow(em)),
  };
}
