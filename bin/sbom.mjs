// `npm run -s sbom`: the software bill of materials (SBOM) of what is deployed, as CycloneDX JSON on standard output.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

// npm's own `--omit dev` leaves out every package that a package of development needs, too (npm 11, measured): pg was missing. But
// npm marks what only development or an option needs. The image has neither (Dockerfile).
const DEVELOPMENT = 'cdx:npm:package:development';
const isDeployed = ({ scope, properties = [] }) =>
  scope !== 'optional' && !properties.some(({ name }) => name === DEVELOPMENT);

const options = { cwd: join(import.meta.dirname, '..'), encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX };
const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
const sbom = JSON.parse(execFileSync('npm', args, options));

const components = sbom.components.filter(isDeployed);
const references = new Set([sbom.metadata.component, ...components].map(component => component['bom-ref']));
const dependencies = sbom.dependencies
  .filter(({ ref }) => references.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(one => references.has(one)) }));

process.stdout.write(`${JSON.stringify({ ...sbom, components, dependencies }, null, 2)}\n`);
