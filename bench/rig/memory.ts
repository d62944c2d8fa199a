// Preloaded into a process whose memory is measured. At SIGUSR2 it drops its garbage, and writes what it then needs to a file.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const path = process.env.BENCH_MEMORY;
if (path !== undefined) {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => {
    collectGarbage();
    writeFileSync(`${path}.part`, JSON.stringify(process.memoryUsage()));
    renameSync(`${path}.part`, path);
  });
}
