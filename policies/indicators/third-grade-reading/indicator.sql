-- score_met: one row for each student whom a district's score file lists in the subject and grade
WITH results AS (
    SELECT a.person_id, a.school_year AS cohort_year, a.provider AS district,
        CASE
            WHEN a.achievement_level IS NULL
                OR a.valid NOT IN (SELECT value FROM parameters WHERE name = 'valid') THEN 'unknown'
            WHEN a.achievement_level IN (SELECT value FROM parameters WHERE name = 'levels_met') THEN 'yes'
            ELSE 'no'
        END AS outcome
    FROM assessment AS a
    JOIN districts AS d ON d.district = a.provider AND d.school_year = a.school_year
    WHERE a.subject IN (SELECT value FROM parameters WHERE name = 'subject')
        AND a.grade_assessed IN (SELECT value FROM parameters WHERE name = 'grade_assessed')
),
ranked AS (
    SELECT person_id, cohort_year, district, outcome,
        ROW_NUMBER() OVER (
            PARTITION BY person_id, cohort_year
            ORDER BY CASE outcome WHEN 'yes' THEN 1 WHEN 'no' THEN 2 ELSE 3 END, district
        ) AS place
    FROM results
)
SELECT person_id, cohort_year, district, outcome, 1 AS weight FROM ranked WHERE place = 1
