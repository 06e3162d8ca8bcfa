import { updateApplication } from '../../../core/applications/store/applications.ts';
import { openDatabase } from '../../../database/connection.ts';
import type { TestStack } from '../../support/stack.ts';
import { until } from '../../support/until.ts';
import { listenHttp } from '../../runtime/http-client/listener.ts';

export interface ShopEvent {
  readonly signature: string;
  readonly eventId: string;
  readonly attempt: string;
  readonly body: string;
}

export interface ShopHook {
  /** Waits for the event of this type about the object with this id. */
  eventOf(type: string, id: unknown): Promise<ShopEvent>;
  /** Returns the number of deliveries so far. */
  count(): number;
  close(): Promise<void>;
}

/**
 * Opens the receiver of the stack's ShadhinPay shop, which accepts every event.
 * @param subscribed the event types that the shop chose; null: all
 */
export async function openShopHook({ dev }: TestStack, subscribed: string[] | null): Promise<ShopHook> {
  const listener = await listenHttp((response) => response.writeHead(200).end());
  const database = await openDatabase({ url: dev.databaseUrl, poolSize: 1 });
  const applicationId = BigInt(dev.apps.shadhinpay.id);
  await updateApplication(
    { database },
    { applicationId, webhookUrl: `${listener.url}/hook`, shadhinpayEvents: subscribed },
  );
  await database.close();
  const events = (): ShopEvent[] =>
    listener.received.map(({ headers, body }) => ({
      signature: String(headers['x-shadhinpay-signature']),
      eventId: String(headers['x-shadhinpay-event-id']),
      attempt: String(headers['x-shadhinpay-delivery-attempt']),
      body: body.toString('utf8'),
    }));
  return {
    eventOf: (type, id) =>
      until(() => events().find(({ body }) => body.includes(`"${type}"`) && body.includes(String(id)))),
    count: () => listener.received.length,
    close: () => listener.close(),
  };
}
