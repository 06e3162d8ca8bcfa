import { Stack, Text, TextInput, Title } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { GATEWAY_OPTIONS } from '../api/names.ts';
import { Act, Note } from '../parts/act.tsx';
import { today } from '../parts/days.ts';
import { Facts } from '../parts/facts.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { textOf } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, dayOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { SHOWN_STATUSES } from './filter.ts';
import { RUN_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

export function RunsPage() {
  const words = useWords(RUN_WORDS);
  const filter = useSearch({ from: '/$mode/runs' });
  return (
    <Page title={words.title} why={words.why} action={<StartAct />}>
      <FilterForm
        filter={filter}
        fields={[
          { name: 'period', type: 'date', label: words.period },
          {
            name: 'gateway',
            label: words.gateway,
            options: GATEWAY_OPTIONS,
          },
          {
            name: 'status',
            label: words.status,
            options: Object.fromEntries(SHOWN_STATUSES.map((status) => [status, words.statuses[status]])),
          },
        ]}
      />
      <Runs />
      <Results />
    </Page>
  );
}

function StartAct() {
  const words = useWords(RUN_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  return (
    <Act
      label={words.start}
      variant="filled"
      what={words.startAct}
      run={(form) =>
        dataOf(api.POST('/admin/reconciliation/runs', { params: { query: { period: textOf(form, 'period'), mode } } }))
      }
      refresh={[['runs'], ['results'], ['cases'], ['payouts'], ['inbox']]}
      done={(summary) => (
        <Facts
          facts={[
            [words.state, words.states[summary.state]],
            [words.balanced, summary.ledgerBalanced ? words.agrees : words.disagrees],
            ...(['matched', 'deferred', 'missingInSettlement', 'missingInternal', 'amountMismatch'] as const).map(
              (name) => [words[name], countOf(summary[name], language)] as const,
            ),
          ]}
        />
      )}
    >
      <TextInput name="period" type="date" label={words.period} defaultValue={today()} required data-autofocus />
    </Act>
  );
}

function Runs() {
  const words = useWords(RUN_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const { period, gateway } = useSearch({ from: '/$mode/runs' });
  const query = { mode, ...(period === undefined ? {} : { period }), ...(gateway === undefined ? {} : { gateway }) };
  return (
    <List
      label={words.title}
      queryKey={['runs', query]}
      get={(page) => api.GET('/admin/reconciliation/runs', { params: { query: { ...query, ...page } } })}
      columns={[
        { name: words.period, cell: (run) => dayOf(run.period, language) },
        { name: words.gateway, cell: (run) => run.gateway },
        { name: words.state, cell: (run) => <State run={run} /> },
        {
          name: words.balanced,
          from: 'md',
          cell: ({ ledgerBalanced }) =>
            ledgerBalanced === null ? '–' : ledgerBalanced ? words.agrees : words.disagrees,
        },
        { name: words.started, from: 'sm', cell: ({ startedAt }) => <Instant at={startedAt} /> },
      ]}
      keyOf={({ runId }) => runId}
      empty={words.empty}
    />
  );
}

function State({ run }: { readonly run: Schemas['ReconciliationRun'] }) {
  const words = useWords(RUN_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { runId: reference, progress } = run;
  return (
    <Stack gap={4}>
      <Text>{words.states[run.state]}</Text>
      {run.problem !== null && <Text size="sm">{run.problem}</Text>}
      {run.state === 'RUNNING' && (
        <>
          <Text size="sm" c="dimmed">
            {words.steps[run.step]}
            {progress !== null && `: ${words.lines(countOf(progress.lines, language))}`}
          </Text>
          {may('reconciliation:manage') && (
            <Act
              size="xs"
              label={words.cancel}
              what={words.cancelAct(run.gateway, dayOf(run.period, language))}
              run={() =>
                dataOf(api.POST('/admin/reconciliation/runs/{reference}/cancel', { params: { path: { reference } } }))
              }
              refresh={[['runs']]}
            >
              <Note>{words.cancelNote}</Note>
            </Act>
          )}
        </>
      )}
    </Stack>
  );
}

function Results() {
  const words = useWords(RUN_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/runs' });
  const amount = (amountMinor: number | null, currency: string): string =>
    amountMinor === null ? '–' : moneyOf({ amountMinor, currency }, language);
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.results}
      </Title>
      <List
        label={words.results}
        queryKey={['results', mode, filter]}
        get={(page) => api.GET('/admin/reconciliation/results', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          { name: words.status, cell: ({ status }) => words.statuses[status] },
          {
            name: words.what,
            cell: ({ paymentId, paymentReference, gatewayTxnId, lineKind }) =>
              paymentId !== null && paymentReference !== null ? (
                <PaymentLink id={paymentId} reference={paymentReference} />
              ) : (
                (gatewayTxnId ?? lineKind ?? '–')
              ),
          },
          { name: words.detail, from: 'md', cell: ({ detail }) => detail },
          {
            name: words.expected,
            from: 'sm',
            isNumber: true,
            cell: ({ expectedMinor, currency }) => amount(expectedMinor, currency),
          },
          { name: words.settled, isNumber: true, cell: ({ settledMinor, currency }) => amount(settledMinor, currency) },
        ]}
        keyOf={({ id }) => id}
        empty={words.noResults}
      />
    </Stack>
  );
}
