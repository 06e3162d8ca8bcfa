/** Returns the value of `Allow`. HEAD works wherever GET does (RFC 9110, 9.3.2). */
export function allowHeader(methods: readonly string[]): string {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}
