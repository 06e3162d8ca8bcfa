import type { Database } from '../database/connection.ts';
import type { Calendar } from '../domain/calendar.ts';
import type { GatewayRegistry } from '../gateways/port.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Mailer } from '../runtime/mailer.ts';
import type { Dispatch } from './dispatch.ts';
import type { Deliveries } from './webhooks/deliveries.ts';

/** The dependencies of use cases, built only in the main files of the API and the worker. */
export interface CoreDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly deliveries: Deliveries;
  readonly log: Logger;
  /** Public origin of the API, where gateways call back. */
  readonly apiUrl: string;
  /** Public origin of the pages. */
  readonly webUrl: string;
  /** The time zone in which due dates are days. */
  readonly calendar: Calendar;
}

/** The dependencies of use cases that send email, which only the worker does. */
export interface MailingDependencies extends CoreDependencies {
  /** Null if no mail server is configured. */
  readonly mailer: Mailer | null;
}
