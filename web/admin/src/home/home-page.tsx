import { Stack } from '@mantine/core';
import { useMay } from '../session/session.tsx';
import { InboxPart } from './inbox-part.tsx';
import { TodayPart } from './today-part.tsx';

export function HomePage() {
  const may = useMay();
  return (
    <Stack gap="xl">
      <InboxPart />
      {may('report:read') && <TodayPart />}
    </Stack>
  );
}
