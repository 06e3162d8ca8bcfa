import type { Database } from '../database/connection.ts';
import type { Calendar } from '../domain/calendar.ts';
import type { GatewayRegistry } from '../gateways/port.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Mailer } from '../runtime/mailer.ts';
import type { Dispatch } from '../temporal/dispatch.ts';

/** The dependencies of activities, created only in the worker's main file. */
export interface ActivityDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  /** Public origin of the API, where gateways call back. */
  readonly apiUrl: string;
  /** Public origin of the pages. */
  readonly webUrl: string;
  /** Determines the days of due dates. */
  readonly calendar: Calendar;
  /** Null if no mail server is configured. */
  readonly mailer: Mailer | null;
}
