import type { Client } from '@temporalio/client';

/** gRPC's state of a channel that works. */
const READY = 2;

/** Rejects if the server is unreachable after a while. gRPC would wait much longer than a caller of the API should. */
export async function failWhenUnreachable(client: Client, afterMs: number): Promise<never> {
  await pause(afterMs);
  const { connection } = client;
  if ('client' in connection && connection.client instanceof Object && 'getChannel' in connection.client) {
    const { getChannel } = connection.client;
    const channel: unknown = typeof getChannel === 'function' ? getChannel.call(connection.client) : undefined;
    if (hasConnectivity(channel) && channel.getConnectivityState(true) !== READY) {
      throw new Error('Temporal cannot be reached');
    }
  }
  return new Promise(() => undefined);
}

function hasConnectivity(channel: unknown): channel is { getConnectivityState(tryToConnect: boolean): number } {
  return typeof channel === 'object' && channel !== null && 'getConnectivityState' in channel;
}

export async function failAfter(timeoutMs: number): Promise<never> {
  await pause(timeoutMs);
  throw new Error('the checkout was not opened in time');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
