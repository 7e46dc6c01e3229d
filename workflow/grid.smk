# A grid of runs, chapter x dataset x encoder x seeds: one job calls `fer run` once, then the results are joined.
#
#   fer grid workflow/grids/first.yaml                  on this machine
#   fer grid workflow/grids/first.yaml --on slurm       through sbatch
#   snakemake --snakefile workflow/grid.smk --profile workflow/profiles/slurm --configfile workflow/grids/first.yaml
#
# A run's folder is named by what it depends on (chapter, code, all values). What is there is not run again; a run
# that was killed, or another seed, is.
import os
import sys

from filelock import FileLock, Timeout

from fer_lib.chapters import catalogue, grid

ROOT = catalogue.book_root()
STEP = f'"{sys.executable}" -m fer_lib.chapters'
if workflow.is_main_process:
    PLAN = grid.plan(config, ROOT)
    PLAN.out.mkdir(parents=True, exist_ok=True)
    LOCK = FileLock(PLAN.out / ".engine.lock")  # held while this process lives: Snakemake's own lock is switched off
    try:
        LOCK.acquire(timeout=0)
    except Timeout:
        sys.exit(f"fer: {PLAN.out} is at work under another Snakemake. Wait for it, or stop it.")
    PLAN.write()
else:  # on a node: what was planned when the grid started
    PLAN = grid.written(grid.folder(config, ROOT))
os.environ.update(PLAN.environment)  # absolute: the jobs run in the grid's folder


workdir: str(PLAN.out)


localrules:
    results,


# The output is one file, as Snakemake takes away a rule's output before it runs, and the results of before shall stay.
rule results:
    input:
        "plan.json",
        expand("runs/{job}", job=PLAN.names),
    output:
        "results/.complete",
    log:
        "logs/results.log",
    params:
        step=STEP,
        out=str(PLAN.out),
    shell:
        "{params.step}.gather {params.out:q} 2> {log}"


rule run:
    output:
        folder=directory("runs/{job}"),
    log:
        "logs/{job}.log",
    threads: lambda wildcards: PLAN.names[wildcards.job].threads
    resources:
        mem_mb=lambda wildcards, attempt: attempt * PLAN.names[wildcards.job].mem_mb,
        runtime=lambda wildcards, attempt: attempt * PLAN.names[wildcards.job].minutes,
        gpu=lambda wildcards: PLAN.names[wildcards.job].gpus,
    params:
        step=STEP,
        chapter=lambda wildcards: PLAN.names[wildcards.job].chapter,
        options=lambda wildcards: PLAN.names[wildcards.job].options,
    shell:
        "{params.step}.cli run {params.chapter} {params.options} --out {output.folder:q} --quiet > {log} 2>&1"
