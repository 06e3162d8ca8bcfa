import type { Database } from '../../database/connection.ts';
import type { GatewayRegistry } from '../../gateways/port.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Dispatch } from '../../temporal/dispatch.ts';

/** What the API's handlers close over; built in its main file only. */
export interface ApiDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly apiUrl: string;
  readonly webUrl: string;
}
