import { Alert, Button, Group, NativeSelect, SimpleGrid, Stack, Text, Textarea, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { DataTable } from '../parts/list.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { formatOf } from './format.ts';
import { headingIn, mappingOf, withHeading, type Mapping } from './mapping.ts';
import { FILE_WORDS } from './words.ts';

/** Of a text file its beginning is enough; a workbook cannot be read in part. */
const PREVIEW_BYTES = 262_144;

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly mapping: Mapping;
  readonly isSaved: boolean;
}

export function MappingPart({
  file,
  gateway,
  storeId,
  isUploading,
  upload,
}: {
  readonly file: File;
  readonly gateway: string;
  readonly storeId: string | null;
  readonly isUploading: boolean;
  /** Undefined: with the saved mapping. */
  readonly upload: (mapping: Mapping | undefined) => void;
}) {
  const words = useWords(FILE_WORDS);
  const choices = useChoices(gateway, storeId);
  const [chosen, setChosen] = useState<string>();
  const [changed, setChanged] = useState<Mapping>();
  const choice = choices.data?.find(({ value }) => value === chosen) ?? choices.data?.[0];
  const mapping = changed ?? choice?.mapping;
  const preview = usePreview(file, mapping);
  const isSaved = choice?.isSaved === true && changed === undefined;
  return (
    <Loaded asked={choices}>
      {(all) => (
        <Stack>
          <NativeSelect
            label={words.mapping}
            value={choice?.value ?? ''}
            onChange={({ currentTarget }) => {
              setChosen(currentTarget.value);
              setChanged(undefined);
            }}
            data={all.map(({ value, label }) => ({ value, label }))}
          />
          {preview.error !== null && <ErrorNotice error={preview.error} retry={() => void preview.refetch()} />}
          {preview.data !== undefined && mapping !== undefined && (
            <>
              <Columns mapping={mapping} headings={preview.data.headings} change={setChanged} />
              <Preview preview={preview.data} />
              <Group>
                <Button
                  loading={isUploading}
                  disabled={preview.data.lines.length === 0}
                  onClick={() => upload(isSaved ? undefined : mapping)}
                >
                  {isSaved ? words.submit : words.saveAndUpload}
                </Button>
              </Group>
            </>
          )}
        </Stack>
      )}
    </Loaded>
  );
}

/** The saved mapping of the store or gateway first, then the shipped ones, that of the gateway first. */
function useChoices(gateway: string, storeId: string | null) {
  const words = useWords(FILE_WORDS);
  const { language } = useLanguage();
  return useQuery({
    queryKey: ['payout mappings', gateway, storeId],
    queryFn: async () => ({
      saved: await dataOf(api.GET('/admin/payout-mappings', { params: { query: { gateway } } })),
      shipped: await dataOf(api.GET('/admin/payout-mappings/shipped')),
    }),
    select: ({ saved, shipped }): Choice[] => [
      ...saved
        .filter((one) => one.storeId === storeId || one.storeId === null)
        .map((one) => ({
          value: `saved ${one.id}`,
          label: words.saved(countOf(one.version, language)),
          mapping: one.mapping,
          isSaved: true,
        })),
      ...shipped
        .toSorted((one, other) => Number(other.name === gateway) - Number(one.name === gateway))
        .map(({ name, mapping }) => ({
          value: `shipped ${name}`,
          label: words.shipped(name),
          mapping,
          isSaved: false,
        })),
    ],
  });
}

function usePreview(file: File, mapping: Mapping | undefined) {
  return useQuery({
    queryKey: ['payout preview', file.name, file.size, file.lastModified, mapping],
    enabled: mapping !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
    queryFn: () => {
      const part = formatOf(file.name) === 'xlsx' ? file : file.slice(0, PREVIEW_BYTES);
      return dataOf(
        api.POST('/admin/payout-mappings/preview', {
          params: { query: { mapping: JSON.stringify(mapping) } },
          body: part as never,
          bodySerializer: () => part,
          headers: { 'Content-Type': 'application/octet-stream' },
        }),
      );
    },
  });
}

function Columns({
  mapping,
  headings,
  change,
}: {
  readonly mapping: Mapping;
  readonly headings: readonly string[];
  readonly change: (mapping: Mapping) => void;
}) {
  const words = useWords(FILE_WORDS);
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.headings}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }}>
        {Object.keys(words.members)
          .filter((member) => mapping.columns?.[member] !== undefined)
          .map((member) => (
            <NativeSelect
              key={member}
              label={words.members[member as keyof typeof words.members]}
              value={headingIn(mapping, member, headings)}
              onChange={({ currentTarget }) => change(withHeading(mapping, member, currentTarget.value))}
              data={[{ value: '', label: words.notMapped, disabled: true }, ...headings]}
            />
          ))}
      </SimpleGrid>
      <Json mapping={mapping} change={change} />
    </Stack>
  );
}

function Json({ mapping, change }: { readonly mapping: Mapping; readonly change: (mapping: Mapping) => void }) {
  const words = useWords(FILE_WORDS);
  const [isWrong, setIsWrong] = useState(false);
  return (
    <details>
      <summary>{words.asJson}</summary>
      <Form
        key={JSON.stringify(mapping)}
        submit={(form) => {
          const read = mappingOf(textOf(form, 'mapping'));
          setIsWrong(read === undefined);
          if (read !== undefined) {
            change(read);
          }
        }}
      >
        <Textarea
          name="mapping"
          aria-label={words.asJson}
          defaultValue={JSON.stringify(mapping, null, 2)}
          rows={16}
          ff="monospace"
          error={isWrong ? words.notJson : undefined}
        />
        <Button type="submit" variant="default">
          {words.applyJson}
        </Button>
      </Form>
    </details>
  );
}

function Preview({ preview }: { readonly preview: Schemas['PayoutPreview'] }) {
  const words = useWords(FILE_WORDS);
  const { language } = useLanguage();
  const { lines, rejections, problem } = preview;
  const amount = (amountMinor: number, currency: string): string => moneyOf({ amountMinor, currency }, language);
  return (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.preview}
      </Title>
      {problem !== null && (
        <Alert color="red" title={problem.code}>
          {problem.reason}
        </Alert>
      )}
      <Text>
        {lines.length === 0 && rejections.length === 0
          ? words.previewEmpty
          : words.previewOf(countOf(lines.length, language), countOf(rejections.length, language))}
      </Text>
      {lines.length > 0 && (
        <DataTable
          label={words.preview}
          rows={lines}
          keyOf={({ line }) => line}
          columns={[
            { name: words.line, isNumber: true, cell: ({ line }) => countOf(line, language) },
            { name: words.members.kind, cell: ({ kind }) => kind },
            {
              name: words.members.gatewayTxnId,
              cell: ({ gatewayTxnId, attemptReference, lineReference }) =>
                gatewayTxnId ?? attemptReference ?? lineReference ?? '–',
            },
            {
              name: words.members.gross,
              from: 'sm',
              isNumber: true,
              cell: (one) => amount(one.grossMinor, one.currency),
            },
            { name: words.members.fee, from: 'sm', isNumber: true, cell: (one) => amount(one.feeMinor, one.currency) },
            { name: words.members.net, isNumber: true, cell: (one) => amount(one.netMinor, one.currency) },
          ]}
        />
      )}
      {rejections.length > 0 && (
        <DataTable
          label={words.rejections}
          rows={rejections}
          keyOf={({ line, code }) => `${line} ${code}`}
          columns={[
            { name: words.line, isNumber: true, cell: ({ line }) => countOf(line, language) },
            { name: words.code, cell: ({ code }) => code },
            { name: words.reason, cell: ({ reason }) => reason },
          ]}
        />
      )}
    </Stack>
  );
}
