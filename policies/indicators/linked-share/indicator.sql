-- linked-share: one row for each student of a district in the latest school year; linked to another provider or not
WITH latest AS (
    SELECT MAX(school_year) AS school_year FROM enrollment
),
students AS (
    SELECT e.person_id, e.school_year AS cohort_year, e.provider AS district,
        ROW_NUMBER() OVER (PARTITION BY e.person_id ORDER BY e.start_date DESC, e.provider) AS place
    FROM enrollment AS e
    JOIN latest AS l ON l.school_year = e.school_year
    JOIN districts AS d ON d.district = e.provider AND d.school_year = e.school_year
    WHERE e.enrollment_status IN (SELECT value FROM parameters WHERE name = 'enrollment_status')
        AND e.grade IN (SELECT value FROM parameters WHERE name = 'grade')
),
linked AS (
    SELECT person_id, MIN(provider) AS one, MAX(provider) AS other FROM person_providers GROUP BY person_id
)
SELECT s.person_id, s.cohort_year, s.district, CASE WHEN k.one <> k.other THEN 'yes' ELSE 'no' END AS outcome,
    1 AS weight
FROM students AS s
JOIN linked AS k ON k.person_id = s.person_id
WHERE s.place = 1
