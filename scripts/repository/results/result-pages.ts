import type { ResultFile, ResultTable } from './result-file.ts';

const HEADS = {
  proofs: {
    title: 'Proofs',
    text: 'What was done to Lenden to find out whether its promises hold, and what came out.',
  },
  performance: {
    title: 'Performance',
    text:
      'What Lenden costs, as ratios of two things measured in turns in one run. Timings are reports; no test asserts them. ' +
      'Counts do not depend on the machine, and CI holds them.',
  },
} as const;

/** Returns one page of docs/, generated from the recorded results. `npm run check:generated` checks that the page is up to date. */
export function resultPage(page: ResultFile['page'], results: readonly ResultFile[]): string {
  const { title, text } = HEADS[page];
  return `${[
    `# ${title}`,
    `${text} Made by \`npm run generate\` from \`docs/results/\`; each part names the command that makes it again (\`--record\` keeps the result).`,
    ...results.filter((result) => result.page === page).map(part),
  ].join('\n\n')}\n`;
}

function part({ title, command, at, machine, summary, tables }: ResultFile): string {
  const { cpu, cores, memoryGiB, system, node } = machine;
  return [
    `## ${title}`,
    `\`${command}\` – ${at.slice(0, 10)}, ${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node ${node}`,
    ...summary,
    ...tables.map(markdownTable),
  ].join('\n\n');
}

function markdownTable({ caption, columns, rows }: ResultTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [`**${caption}**`, '', line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
