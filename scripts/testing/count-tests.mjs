/**
 * `node count-tests.mjs RESULTS FAILURES FILES` reads the output of jest's `--json` and prints how many tests passed and failed. A file that could
 * not be loaded counts as one failed test. It adds the names of the failed tests to FAILURES and writes the paths of their files to FILES.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';

const [results, failures, files] = process.argv.slice(2);
const report = JSON.parse(readFileSync(results, 'utf8'));
const bad = report.testResults.filter(({ status }) => status === 'failed');
const names = bad.flatMap(({ name, assertionResults }) => [
  name,
  ...assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `  ${fullName}`),
]);
const lines = (list) => list.map((line) => `${line}\n`).join('');
appendFileSync(failures, lines(names));
writeFileSync(files, lines(bad.map(({ name }) => name)));
console.log(report.numPassedTests, report.numFailedTests + report.numRuntimeErrorTestSuites);
