#!/usr/bin/env bash
# npm 11.19.1: `npm sbom --omit dev` leaves out packages of production.
#
# Seen:     A project needs once@1.4.0 in production, which needs wrappy@1.0.2. Its only package of development,
#           inflight@1.0.6, needs both, too. The SBOM of production names neither, while `npm ls --omit dev` lists both.
# Expected: both, as they are installed by `npm install --omit dev`, and package-lock.json does not mark them as `dev`.
# Matters:  A scan of such an SBOM finds no weakness of a package that is deployed. bin/sbom.mjs filters by itself.
# Known as: https://github.com/npm/cli/issues/7909
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir tool project
npm install --prefix tool --silent --no-audit --no-fund npm@11.19.1
npm() { node "$folder/tool/node_modules/npm/bin/npm-cli.js" "$@"; }

cd project
cat > package.json << 'END'
{
  "name": "project",
  "version": "1.0.0",
  "dependencies": { "once": "1.4.0" },
  "devDependencies": { "inflight": "1.0.6" }
}
END
npm install --silent --no-audit --no-fund
npm --version
listed=$(npm ls --omit dev --all)
sbom=$(npm sbom --omit dev --sbom-format cyclonedx)
echo "npm ls --omit dev: $listed"
named=$(node -p 'JSON.parse(process.argv[1]).components.map(({ purl }) => purl).join(" ")' "$sbom")
echo "npm sbom --omit dev: ${named:-no component}"

if [[ $listed != *once@1.4.0* || $listed != *wrappy@1.0.2* || -n $named ]]; then
  echo 'changed: npm sbom --omit dev is no longer like this'
  exit 1
fi
echo 'as described: once and wrappy are missing'
