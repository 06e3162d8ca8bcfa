import { Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Instant } from '../parts/instant.tsx';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { FilterForm } from '../parts/filter-form.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, dayOf, sumOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { durationText } from '../../../time-text.ts';
import { REPORT_WORDS } from './words.ts';
import { percentText } from './percent-text.ts';
import { Page } from '../parts/page.tsx';

const EVERY_MS = 60_000;
/** A table of more rows helps nobody; the export has them all. */
const ROWS_SHOWN = 200;

type Row = Schemas['PaymentReport']['rows'][number];

const Charts = lazy(async () => ({ default: (await import('./charts.tsx')).Charts }));

export function ReportsPage() {
  const words = useWords(REPORT_WORDS);
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/reports' });
  const applications = useApplicationNames();
  const { applicationId, ...rest } = filter;
  const query = { mode, ...rest, ...(applicationId === undefined ? {} : { applicationId: Number(applicationId) }) };
  const report = useQuery({
    queryKey: ['report', mode, filter],
    queryFn: () => dataOf(api.GET('/admin/reports/payments', { params: { query } })),
    refetchInterval: EVERY_MS,
  });
  return (
    <Page
      title={words.title}
      action={
        <Button
          component="a"
          variant="default"
          href={`/api/v1/admin/reports/payments/export?${new URLSearchParams({ mode, ...filter })}`}
          download
        >
          {words.export}
        </Button>
      }
    >
      <FilterForm
        filter={filter}
        fields={[
          { name: 'from', type: 'date', label: words.from },
          { name: 'to', type: 'date', label: words.to },
          { name: 'by', label: words.by, options: words.spans },
          { name: 'group', label: words.group, options: words.groups },
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
          { name: 'applicationId', label: words.application, options: applications },
        ]}
      />
      <Loaded asked={report}>
        {({ rows, by }) =>
          rows.length === 0 ? (
            <Text c="dimmed">{words.empty}</Text>
          ) : (
            <>
              <Suspense fallback={null}>
                <Charts rows={rows} by={by} />
              </Suspense>
              <Figures rows={rows.slice(-ROWS_SHOWN).toReversed()} by={by} applications={applications} />
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Figures({
  rows,
  by,
  applications,
}: {
  readonly rows: readonly Row[];
  readonly by: 'hour' | 'day';
  readonly applications: Readonly<Record<string, string>>;
}) {
  const words = useWords(REPORT_WORDS);
  const { language } = useLanguage();
  const names = [
    words.period,
    words.application,
    words.gateway,
    words.created,
    words.paid,
    words.successRate,
    words.gross,
    words.fees,
    words.refunded,
    words.net,
    words.timeToPay,
  ];
  return (
    <Table.ScrollContainer type="native" minWidth={960} tabIndex={0} role="region" aria-label={words.title}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {names.map((name) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={`${row.from} ${row.currency} ${row.applicationId} ${row.gateway}`} className="tabular">
              <Table.Td>{by === 'day' ? dayOf(row.date, language) : <Instant at={row.from} />}</Table.Td>
              <Table.Td>{row.applicationId === null ? '–' : applications[row.applicationId.toString()]}</Table.Td>
              <Table.Td>{row.gateway ?? '–'}</Table.Td>
              <Table.Td>{countOf(row.created, language)}</Table.Td>
              <Table.Td>{countOf(row.paid, language)}</Table.Td>
              <Table.Td>{row.successRate === null ? '–' : percentText(row.successRate, language)}</Table.Td>
              <Table.Td>{sumOf(row.grossMinor, row.currency, language)}</Table.Td>
              <Table.Td>{sumOf(row.feeMinor, row.currency, language)}</Table.Td>
              <Table.Td>{sumOf(row.refundedMinor, row.currency, language)}</Table.Td>
              <Table.Td>{sumOf(row.netMinor, row.currency, language)}</Table.Td>
              <Table.Td>
                {row.timeToPaySeconds === null
                  ? '–'
                  : `${durationText(row.timeToPaySeconds.p50, language)} / ${durationText(row.timeToPaySeconds.p95, language)}`}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
