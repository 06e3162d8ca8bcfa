/**
 * Returns the `code` of an error of Node or gRPC. It checks the shape instead of using `instanceof`, because under jest Node's own errors come from
 * another realm.
 */
export function errorCode(error: unknown): string | number | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error) {
    return typeof error.code === 'string' || typeof error.code === 'number' ? error.code : undefined;
  }
  return undefined;
}
