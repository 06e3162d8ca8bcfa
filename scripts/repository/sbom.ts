import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '..', '..');
const FILE = resolve(ROOT, 'dist/lenden.cdx.json');

const Bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  components: z.array(
    z.looseObject({
      'bom-ref': z.string(),
      name: z.string(),
      version: z.string(),
      properties: z.array(z.object({ name: z.string() })).default([]),
    }),
  ),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

const DEVELOPMENT = 'cdx:npm:package:development';

process.exitCode = main();

/**
 * `npm run sbom` writes the contents of a deployment as a CycloneDX bill of materials, taken from the lockfile. It fails when a direct dependency is
 * missing.
 */
function main(): number {
  // Not `--omit=dev`: npm 11 then also omits packages that a development dependency needs too, such as zod.
  const options = ['--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { status, stdout, stderr } = spawnSync('npm', ['sbom', ...options], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) {
    console.error(stderr);
    return 1;
  }
  const bill = deployed(Bill.parse(JSON.parse(stdout)));
  const listed = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')));
  const missing = Object.entries(dependencies).filter(([name, version]) => !listed.has(`${name}@${version}`));
  if (missing.length > 0) {
    console.error(`The bill of materials lacks ${missing.map(([name]) => name).join(', ')}.`);
    return 1;
  }
  mkdirSync(dirname(FILE), { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`dist/lenden.cdx.json: CycloneDX ${bill.specVersion}, ${bill.components.length} components`);
  return 0;
}

/** Returns the bill without packages that only development needs. */
function deployed(bill: z.infer<typeof Bill>): z.infer<typeof Bill> {
  const dropped = new Set(
    bill.components
      .filter(({ properties }) => properties.some(({ name }) => name === DEVELOPMENT))
      .map((component) => component['bom-ref']),
  );
  return {
    ...bill,
    components: bill.components.filter((component) => !dropped.has(component['bom-ref'])),
    dependencies: bill.dependencies
      .filter(({ ref }) => !dropped.has(ref))
      .map((dependency) => ({ ...dependency, dependsOn: dependency.dependsOn.filter((ref) => !dropped.has(ref)) })),
  };
}
