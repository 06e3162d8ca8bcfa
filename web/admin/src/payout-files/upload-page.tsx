import { Alert, Button, FileInput, NativeSelect, Stack, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { useMode } from '../shell/mode.ts';
import { useWords } from '../words/use-words.ts';
import { formatOf, isStatement } from './format.ts';
import { MappingPart } from './mapping-part.tsx';
import type { Mapping } from './mapping.ts';
import { FILE_WORDS } from './words.ts';
import { useChange } from '../parts/use-change.ts';

type Store = Schemas['GatewayStore'];

/** Choosing a file, seeing what a mapping makes of it, correcting the mapping, uploading. Nothing is stored before the last step. */
export function UploadPage() {
  const words = useWords(FILE_WORDS);
  const { mode, path } = useMode();
  const [file, setFile] = useState<File | null>(null);
  const [store, setStore] = useState<Store | undefined>();
  const stores = useQuery({
    queryKey: ['gateways'],
    queryFn: () => dataOf(api.GET('/admin/gateways')),
    select: (all) => all.filter((one) => one.mode === mode && one.storeId !== null),
  });
  const chosen = store ?? stores.data?.[0];
  const upload = useUpload();
  const ofLines = file !== null && !isStatement(formatOf(file.name));
  return (
    <Stack maw={900}>
      <Title order={1} size="h3">
        {words.uploadTitle}
      </Title>
      <FileInput
        label={words.file}
        placeholder={words.file}
        accept=".csv,.txt,.tsv,.xlsx,.xml,.sta,.mt940,.940"
        value={file}
        onChange={setFile}
        clearable={false}
      />
      {stores.error !== null && <ErrorNotice error={stores.error} retry={() => void stores.refetch()} />}
      {ofLines && (
        <NativeSelect
          label={words.chosenStore}
          value={chosen === undefined ? '' : keyOf(chosen)}
          onChange={({ currentTarget }) => setStore(stores.data?.find((one) => keyOf(one) === currentTarget.value))}
          data={(stores.data ?? []).map((one) => ({ value: keyOf(one), label: `${one.displayName}: ${one.storeId}` }))}
        />
      )}
      {ofLines && chosen !== undefined && (
        <MappingPart
          key={`${file.name} ${file.size} ${keyOf(chosen)}`}
          file={file}
          gateway={chosen.gateway}
          storeId={chosen.storeId}
          isUploading={upload.isPending}
          upload={(mapping) => upload.mutate({ file, store: chosen, mapping })}
        />
      )}
      {file !== null && !ofLines && (
        <Button
          loading={upload.isPending}
          onClick={() => upload.mutate({ file, store: undefined, mapping: undefined })}
        >
          {words.submit}
        </Button>
      )}
      {upload.data?.alreadyKnown === true && (
        <Alert color="orange" role="status">
          {words.alreadyKnown}{' '}
          <Link to="/$mode/payout-files/$reference" params={{ mode: path, reference: upload.data.file.reference }}>
            {upload.data.file.name}
          </Link>
        </Alert>
      )}
      {upload.error !== null && <ErrorNotice error={upload.error} isChange />}
    </Stack>
  );
}

function keyOf({ gateway, storeId }: Store): string {
  return `${gateway} ${storeId}`;
}

interface Upload {
  readonly file: File;
  readonly store: Store | undefined;
  /** A new version of the store's mapping; undefined: the saved one. */
  readonly mapping: Mapping | undefined;
}

/** The same bytes are one file, so an upload whose answer is lost may be sent again. */
function useUpload() {
  const { mode, path } = useMode();
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useChange({
    mutationFn: async ({ file, store, mapping }: Upload) => {
      const format = formatOf(file.name);
      const ofLines =
        store === undefined
          ? {}
          : { gateway: store.gateway, ...(store.storeId === null ? {} : { storeId: store.storeId }) };
      const mappingId = store === undefined || mapping === undefined ? {} : { mappingId: await save(store, mapping) };
      const kind = isStatement(format) ? 'statement' : 'lines';
      return dataOf(
        api.POST('/admin/payout-files', {
          params: { query: { mode, kind, format, name: file.name, ...ofLines, ...mappingId } },
          body: file as never,
          bodySerializer: () => file,
          headers: { 'Content-Type': 'application/octet-stream' },
        }),
      );
    },
    onSuccess: async ({ file: { reference }, alreadyKnown }) => {
      await queries.invalidateQueries({ queryKey: ['payout files'] });
      if (alreadyKnown) {
        return;
      }
      await navigate({ to: '/$mode/payout-files/$reference', params: { mode: path, reference } });
    },
  });
}

async function save({ gateway, storeId }: Store, mapping: Mapping): Promise<number> {
  // The server judges the mapping; here it is what a shipped one and the person made of it.
  const body = { gateway, storeId, mapping } as never;
  return (await dataOf(api.POST('/admin/payout-mappings', { body }))).id;
}
