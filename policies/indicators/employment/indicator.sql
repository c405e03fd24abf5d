-- employment: one row for each group of the wage authority's file and outcome, with the persons in it as weight
WITH groups_counted AS (
    SELECT completion_year AS cohort_year, race_ethnicity, gender, economic_disadvantage,
        SUM(persons) AS persons, SUM(matchable) AS matchable, SUM(employed) AS employed
    FROM employment_aggregate
    WHERE years_after IN (SELECT CAST(value AS INTEGER) FROM parameters WHERE name = 'years_after')
    GROUP BY completion_year, race_ethnicity, gender, economic_disadvantage
)
SELECT cohort_year, race_ethnicity, gender, economic_disadvantage, 'yes' AS outcome, employed AS weight
FROM groups_counted
UNION ALL
SELECT cohort_year, race_ethnicity, gender, economic_disadvantage, 'no' AS outcome, matchable - employed AS weight
FROM groups_counted
UNION ALL
SELECT cohort_year, race_ethnicity, gender, economic_disadvantage, 'unknown' AS outcome, persons - matchable AS weight
FROM groups_counted
