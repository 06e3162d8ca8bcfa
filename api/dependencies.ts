import type { Database } from '../database/connection.ts';
import type { Calendar } from '../domain/calendar.ts';
import type { AllowList } from '../domain/outbound-url.ts';
import type { GatewayRegistry } from '../gateways/port.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Dispatch } from '../temporal/dispatch.ts';

/** What the API's handlers close over; built in its main file only. */
export interface ApiDependencies {
  readonly database: Database;
  readonly gateways: GatewayRegistry;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly apiUrl: string;
  readonly webUrl: string;
  /** By which due dates are days. */
  readonly calendar: Calendar;
  /** Reaches hosts on the public internet only: for URLs that applications choose. */
  readonly publicHttp: HttpClient;
  /** Hosts that it may reach although they are not public; empty in production. */
  readonly allow: AllowList;
}
