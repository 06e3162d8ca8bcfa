/**
 * What every pass of `npm run test:mutation` has in common; the script says by LENDEN_MUTATION_PASS which files are
 * changed, which tests may notice, and where its files go.
 */
const { name, mutate, testMatch, directory, scratch } = JSON.parse(
  process.env.LENDEN_MUTATION_PASS ??
    '{"name":"none","mutate":[],"testMatch":[],"directory":".lenden/mutation","scratch":".lenden/mutation/working-copies"}',
);

export default {
  mutate,
  testRunner: 'jest',
  // A worker ends with Stryker, whatever ended that.
  testRunnerNodeArgs: [
    '--import',
    new URL('proofs/mutation/worker-lifeline.mjs', import.meta.url).href,
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
  ],
  plugins: ['@stryker-mutator/jest-runner', './proofs/mutation/ignored.mjs'],
  ignorers: ['log-text'],
  // A test that hangs has noticed the change: it need not be waited for as long as a slow machine would deserve.
  jest: { configFile: 'jest.config.js', config: { testMatch, testTimeout: 10_000 } },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // Tests of one mutant that take this much longer than without it hang; machines are shared.
  timeoutMS: 20_000,
  timeoutFactor: 3,
  incremental: true,
  incrementalFile: `${directory}/${name}-known.json`,
  tempDirName: scratch,
  reporters: ['progress-append-only', 'json'],
  jsonReporter: { fileName: `${directory}/${name}-report.json` },
  // Types are checked by a compiler that has no interface for Stryker; there is nothing to preprocess.
  tsconfigFile: 'none',
  disableTypeChecks: false,
  ignorePatterns: ['.lenden', 'docs', 'bench', 'test/replay', 'test/e2e'],
  allowConsoleColors: false,
  // Changes of what runs when a module is loaded need every test; there are few, and they are worth it.
  warnings: { slow: false },
};
