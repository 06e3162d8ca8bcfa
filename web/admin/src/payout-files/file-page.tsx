import { Alert, Button, Group, Loader, Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act, Note } from '../parts/act.tsx';
import { Facts } from '../parts/facts.tsx';
import { List } from '../parts/list.tsx';
import { LoadedPage } from '../parts/loaded.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { NotFound } from '../shell/not-found.tsx';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { FILE_WORDS } from './words.ts';
import { Instant } from '../parts/instant.tsx';

const READING_MS = 1_000;

type File = Schemas['PayoutFile'];

export function FilePage() {
  const { reference } = useParams({ from: '/$mode/payout-files/$reference' });
  const { mode } = useMode();
  const file = useQuery({
    queryKey: ['payout file', reference],
    queryFn: () => dataOf(api.GET('/admin/payout-files/{reference}', { params: { path: { reference } } })),
    refetchInterval: ({ state }) => (isBeingRead(state.data) ? READING_MS : false),
  });
  return <LoadedPage asked={file}>{(data) => (data.mode === mode ? <Detail file={data} /> : <NotFound />)}</LoadedPage>;
}

function isBeingRead(file: File | undefined): boolean {
  return file?.state === 'UPLOADED' || file?.state === 'IMPORTING';
}

function Detail({ file }: { readonly file: File }) {
  const words = useWords(FILE_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { reference, problem, uploadedBy } = file;
  return (
    <Stack>
      <Group justify="space-between" align="flex-start">
        <Title order={1} size="h3" className="breaks">
          {file.name}
        </Title>
        <Group>
          {isBeingRead(file) && may('reconciliation:manage') && (
            <Act
              label={words.cancel}
              what={words.cancelAct(file.name)}
              run={() =>
                dataOf(api.POST('/admin/payout-files/{reference}/cancel', { params: { path: { reference } } }))
              }
              refresh={[['payout file', reference], ['payout files']]}
            >
              <Note>{words.cancelNote}</Note>
            </Act>
          )}
          {file.kind !== 'api' && (
            <Button
              component="a"
              variant="default"
              href={`/api/v1/admin/payout-files/${encodeURIComponent(reference)}/content`}
              download={file.name}
            >
              {words.download}
            </Button>
          )}
        </Group>
      </Group>
      <Group gap="xs" role={isBeingRead(file) ? 'status' : undefined}>
        {isBeingRead(file) && <Loader size="sm" />}
        {words.states[file.state]}
      </Group>
      {problem !== null && (
        <Alert color="red" title={problem.code}>
          {problem.reason}
        </Alert>
      )}
      {file.warnings.map((warning) => (
        <Alert key={JSON.stringify(warning)} color="orange" title={warning.code}>
          {warning.reason}
        </Alert>
      ))}
      <Facts
        facts={[
          [words.kind, words.kinds[file.kind]],
          [words.gateway, file.gateway ?? '–'],
          [words.store, file.storeId ?? '–'],
          [words.rows, countOf(file.rowsRead, language)],
          [words.added, countOf(file.linesAdded, language)],
          [words.known, countOf(file.linesKnown, language)],
          [words.rejected, countOf(file.linesRejected, language)],
          [words.bytes, countOf(file.bytes, language)],
          [words.uploaded, <Instant key="at" at={file.createdAt} />],
          [words.uploadedBy, uploadedBy ?? '–'],
        ]}
      />
      <Title order={2} size="h4">
        {words.rejections}
      </Title>
      <List
        label={words.rejections}
        queryKey={['payout file', reference, 'rejections', file.linesRejected]}
        get={(query) =>
          api.GET('/admin/payout-files/{reference}/rejections', { params: { path: { reference }, query } })
        }
        columns={[
          { name: words.line, isNumber: true, cell: ({ line }) => countOf(line, language) },
          { name: words.code, cell: ({ code }) => code },
          { name: words.column, from: 'sm', cell: ({ column }) => column ?? '–' },
          { name: words.reason, cell: ({ reason }) => reason },
        ]}
        keyOf={({ line, code }) => `${line} ${code}`}
        empty={words.noRejections}
      />
    </Stack>
  );
}
