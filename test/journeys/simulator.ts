import type { DevFile } from '../../scripts/development/dev-file.ts';

/** Sends an action for one session to the simulated gateway. */
export async function tellGateway(
  { simulators }: DevFile,
  { session, action, body = {} }: { session: string; action: 'deliver' | 'finish'; body?: object },
): Promise<void> {
  const response = await fetch(`${simulators}/__sim/sessions/${session}/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) {
    throw new Error(`the simulator answered ${response.status}: ${await response.text()}`);
  }
}
