/**
 * `node count-tests.mjs RESULTS FAILURES FILES`: reads what jest's `--json` wrote, prints how many tests passed and failed (a file that
 * could not be loaded is one that failed), and adds the names of those to FAILURES and the paths of their files to FILES.
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
