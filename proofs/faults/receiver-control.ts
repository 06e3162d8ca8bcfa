/**
 * Sets a receiver's behaviour. A dead or stopped receiver starts again well-behaved. One that does not answer now is set again when the round heals.
 */
export async function setReceiver(controlUrl: string, mode: string): Promise<boolean> {
  try {
    const response = await fetch(`${controlUrl}/mode`, {
      method: 'PUT',
      body: mode,
      signal: AbortSignal.timeout(3_000),
    });
    return response.ok;
  } catch {
    return false;
  }
}
