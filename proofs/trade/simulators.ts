import type { DevFile } from '../../scripts/development/dev-file.ts';

/** Calls the control API of the simulators. */
export async function control(dev: DevFile, path: string, body?: object): Promise<Response> {
  const response = await fetch(`${dev.simulators}/__sim${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`the simulator answered ${response.status} to ${path}: ${(await response.text()).slice(0, 300)}`);
  }
  return response;
}
