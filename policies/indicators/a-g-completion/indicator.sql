-- a-g-completion: one row for each graduate, or for each member of the cohort when the base is the cohort
SELECT person_id, cohort_year, district,
    CASE
        WHEN outcome = 'unknown' THEN 'unknown'
        WHEN outcome = 'no' THEN 'no'
        WHEN uc_csu_met IS NULL THEN 'unknown'
        WHEN uc_csu_met IN (SELECT value FROM parameters WHERE name = 'met_flag') THEN 'yes'
        ELSE 'no'
    END AS outcome,
    1 AS weight
FROM graduation_cohort
WHERE outcome = 'yes' OR (SELECT MAX(value) FROM parameters WHERE name = 'base') = 'cohort'
