/** Returns whether the process runs in production, which is the default. */
export function isProduction(environment: NodeJS.ProcessEnv): boolean {
  return environment['LENDEN_ENV'] !== 'development';
}
