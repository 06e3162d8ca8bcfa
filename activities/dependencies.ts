import type { Database } from '../database/connection.ts';
import type { Calendar } from '../domain/calendar.ts';
import type { GatewayRegistry } from '../gateways/port.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Mailer } from '../runtime/mailer.ts';
import type { Dispatch } from '../temporal/dispatch.ts';

/** What activities close over; built in the worker's main file only. */
export interface ActivityDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  /** Public origin of the API, where gateways call back. */
  readonly apiUrl: string;
  /** Public origin of the pages. */
  readonly webUrl: string;
  /** By which due dates are days. */
  readonly calendar: Calendar;
  /** Null where no mail server is configured. */
  readonly mailer: Mailer | null;
}
